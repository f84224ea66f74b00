"""An exported model is served where there is no Logbuch: by MLflow's scoring server, in MLflow's environment."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

import logbuch
from compat.conftest import interpreter
from logbuch.cli.main import cli
from support.ports import free_port

pytestmark = pytest.mark.slow
START_SECONDS = 120
FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 1.0, 5.5, 0.5]})
LABELS = ["low", "high", "high", "low"]


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Path, list[str]]:
    """The folder that ``logbuch models export`` wrote, and what the model says when it is asked directly."""
    fitted = LogisticRegression().fit(FRAME, LABELS)
    logbuch.sklearn.save_model(fitted, tmp_path / "model", input_example=FRAME)
    told = CliRunner().invoke(cli, ["models", "export", "-m", str(tmp_path / "model"), str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    return tmp_path / "out", fitted.predict(FRAME).tolist()


@pytest.fixture
def served(exported: tuple[Path, list[str]], tmp_path: Path) -> Iterator[str]:
    place, _ = exported
    tools = interpreter(3).parent
    assert subprocess.run([tools / "python", "-c", "import logbuch"], capture_output=True, check=False).returncode
    port = free_port()
    own = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_", "PYTHON"))}
    more = {"PATH": f"{tools}:{os.environ['PATH']}", "PORT": str(port), "HOME": str(tmp_path)}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen([place / "start.sh"], env=own | more | quiet, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/ping").status_code == 200:
                break
        except httpx.TransportError:
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "serve.log").read_text()
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(60)


def test_it_answers_as_the_model_does(served: str, exported: tuple[Path, list[str]]) -> None:
    body = {"dataframe_split": FRAME.to_dict(orient="split", index=False)}
    answer = httpx.post(f"{served}/invocations", json=body, timeout=60)
    assert answer.json() == {"predictions": exported[1]}
