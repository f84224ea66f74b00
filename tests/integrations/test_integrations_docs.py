"""The snippets of docs/how-to/integrations.md run, one after the other, as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import logbuch
from support import trainings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "integrations.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def names_for(snippet: str) -> dict[str, Any]:
    """What the reader of a snippet has already."""
    x, y = trainings.data()
    found: dict[str, Any] = {"logbuch": logbuch, "X": x, "y": y}
    if "LogbuchCallback()]" in snippet and "Trainer(" in snippet:
        from transformers import Trainer

        made = trainings.trainer()
        found |= {"Trainer": Trainer, "model": made.model, "args": made.args, "rows": made.train_dataset}
    if "module" in snippet:
        from lightning.pytorch import Trainer as LightningTrainer

        found |= {"module": trainings.lightning_module(), "loader": trainings.torch_data(), "Trainer": LightningTrainer}
    if "keras" in snippet:
        found["model"] = trainings.keras_model()
    if "watch(" in snippet:
        import torch

        net = torch.nn.Sequential(torch.nn.Linear(4, 1))
        found |= {
            "model": net,
            "optimizer": torch.optim.SGD(net.parameters(), lr=0.1),
            "batches": trainings.torch_data(),
            "loss_of": lambda model, batch: model(batch[0]).square().mean(),
        }
    if "xgboost" in snippet:
        import xgboost

        found |= {"dtrain": xgboost.DMatrix(x, y), "params": {"objective": "binary:logistic", "nthread": 1}}
    if "lightgbm" in snippet:
        import lightgbm

        found |= {"train_set": lightgbm.Dataset(x, y), "params": {"objective": "binary", "verbose": -1}}
    return found


COMMANDS = re.search(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_commands(tmp_path: Path) -> None:
    assert COMMANDS is not None
    (tmp_path / "package").mkdir()
    for name in ("train.py", "package/train.py"):
        (tmp_path / name).write_text("import sys\nassert sys.argv[1:] == ['--lr', '0.1']\n")
    binaries = str(Path(sys.executable).parent)
    for line in COMMANDS.group(1).splitlines():
        path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
        assert subprocess.run(shlex.split(line), env=os.environ | {"PATH": path}, cwd=tmp_path).returncode == 0
    runs = logbuch.search_runs(search_all_experiments=True, output_format="list")
    assert [run.info.status for run in runs] == ["FINISHED"] * 3


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.split("\n")[0])
def test_a_snippet(snippet: str, experiment: str) -> None:
    exec(snippet, names_for(snippet))
    if "autolog()\n" not in snippet[-10:]:
        assert logbuch.last_active_run() is not None
