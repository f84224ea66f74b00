"""From a training to a served model, by the seeds' own lines: with the real client, and with Logbuch in its place."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logbuch
from support.language import language_model
from support.servers import Server
from support.serving import Scoring, launch

pytestmark = pytest.mark.slow
SCRIPTS = Path(__file__).parent / "clients" / "scripts"
NAME = "storyteller-production"
ROWS = {"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [2, 1], [3, 5.5]]}}
DRAWN = {"max_new_tokens": 8, "do_sample": True, "seed": 7}


def environment(server: Server) -> dict[str, str]:
    """The seeds name the server by MLflow's variable."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_"))}
    return kept | {"MLFLOW_TRACKING_URI": server.url, "LOGBUCH_QUIET": "true", "OMP_NUM_THREADS": "1"}


def serve(server: Server, *arguments: str) -> Scoring:
    return launch(server.folder, environment(server), *arguments)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """A tracker that has no model of that name yet."""
    started = Server(tmp_path, f"sqlite:///{tmp_path}/mlflow.db").start()
    yield started
    started.stop()


def as_typed(run_id: str) -> list[str]:
    """The arguments of the seeds' last line, but for the port, which may be taken here."""
    words = shlex.split((SCRIPTS / "serve.sh").read_text(), comments=True)
    assert words == ["mlflow", "models", "serve", "-m", "runs:/<best-run-id>/model", "-p", "5001"]
    return [words[3], words[4].replace("<best-run-id>", run_id)]


def check_release(seen: dict[str, Any]) -> None:
    assert seen["stages"] == ["None", "Staging", "Production"]
    assert seen["version"] == "1"


def check_answers(scoring: Scoring, wanted: Any) -> None:
    try:
        np.testing.assert_allclose(scoring.wait().post(ROWS).json()["predictions"], wanted, rtol=1e-9)
    finally:
        scoring.end()


def test_with_logbuch_in_place_of_mlflow(fresh: Server, tmp_path: Path) -> None:
    for script in SCRIPTS.glob("*.py"):
        text = script.read_text().replace("\nimport mlflow\n", "\nimport logbuch as mlflow\n")
        (tmp_path / script.name).write_text(text.replace("import mlflow\n", "import logbuch as mlflow\n", 1))
    command = [sys.executable, str(tmp_path / "release.py"), "safe"]
    done = subprocess.run(command, env=environment(fresh), cwd=tmp_path, capture_output=True, text=True, timeout=480)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1].removeprefix("SEEN "))
    check_release(seen)
    check_answers(serve(fresh, *as_typed(seen["run"])), seen["wanted"])


def test_with_the_real_client_whose_model_is_pickled(newest: Any, server: Server) -> None:
    output = newest.run(str(SCRIPTS / "release.py"), "pickled")
    seen = json.loads(output.splitlines()[-1].removeprefix("SEEN "))
    check_release(seen)
    for address in (["-m", f"models:/{NAME}@champion"], as_typed(seen["run"])):
        allowed = serve(server, *address, "--allow-pickle")
        check_answers(allowed, seen["wanted"])
        assert "trusted sha256:" in allowed.log.read_text()
    real = launch(server.folder, own(newest, server), *as_typed(seen["run"]), *LOCAL, program=program(newest))
    check_answers(real, seen["wanted"])


LOCAL = ("--env-manager", "local")
"""A fresh environment would be made with packages from elsewhere."""


def program(newest: Any) -> tuple[str]:
    return (str(newest.python.parent / "mlflow"),)


def own(newest: Any, server: Server) -> dict[str, str]:
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet", "HOME": str(newest.home)}
    return environment(server) | quiet | {"PATH": f"{newest.python.parent}:{os.environ['PATH']}"}


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_a_language_model_is_trained_registered_and_asked(server: Server) -> None:
    logbuch.set_tracking_uri(server.url)
    with logbuch.start_run():
        model = language_model(adapted=True)
        info = logbuch.transformers.log_model(model, name="model", registered_model_name="lora")
    logbuch.LogbuchClient().set_registered_model_alias("lora", "champion", 1)
    scoring = serve(server, "-m", "models:/lora@champion")
    direct = logbuch.models.load_model(info.model_uri).predict(["once upon a", "the cat"], DRAWN)
    try:
        scoring.wait()
        asked = scoring.post({"inputs": ["once upon a", "the cat"], "params": DRAWN})
        assert asked.json() == {"predictions": direct}
        assert scoring.post({"prompt": "the cat", **DRAWN}).json() == direct[1:]
    finally:
        scoring.end()
