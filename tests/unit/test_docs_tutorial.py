"""The tutorial, done as it stands there, and what its reader is promised to see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
PROGRAM, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [block for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if block != "logbuch ui\n"]
ADA = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def typed(commands: str, folder: Path) -> str:
    """What a shell that ends at the first error says to some lines."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOGBUCH_", "MLFLOW_"))}
    kept |= ADA | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    kept["LOGBUCH_JOURNAL_FOLDER"] = str(folder.parent / "journals")
    shell = ["bash", "-e", "-c", commands]
    done = subprocess.run(shell, cwd=folder, env=kept, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_tutorial_goes_as_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "curve"
    folder.mkdir()
    (folder / "train.py").write_text(PROGRAM, encoding="utf-8")
    train, best, diff, check, reproduce = COMMANDS
    assert typed(train, folder).count("see it with: logbuch ui") == 7
    said = typed(best, folder)
    assert said.startswith("eval/loss, lower is better, of 7 finished runs:\n  best ")
    assert said.count("3 seeds: ") == 2
    assert "The lead is larger than the noise of the seeds" in said
    first, second = re.findall(r"[0-9a-f]{32}", said)
    said = typed(diff.replace("RUN", first).replace("OTHER", second), folder)
    assert re.search(r"learning_rate +0.1 +0.003", said)
    wild = (
        "import logbuch; print(logbuch.search_runs(experiment_names=['curve'], filter_string=\"params.seed = '1' AND "
    )
    wild += "params.learning_rate = '1.0'\", output_format='list')[0].info.run_id)"
    (folder.parent / "find.py").write_text(wild)
    third = typed("python ../find.py", folder).strip()
    said = typed(check.replace("RUN", first).replace("OTHER", third), folder)
    assert said.startswith("Stable.")
    assert "\nDiverged." in said
    said = typed(reproduce.replace("RUN", first), folder)
    assert said.count(" equal\n") == 2
    assert "ended FINISHED: the same." in said
    assert "Files that git did not know" not in said
