"""Real MLflow clients, each in its own environment, against a real Logbuch server.

The clients' dependencies contradict ours, so their scripts run as processes of the environments ``.venv-mlflow3`` and
``.venv-mlflow2`` beside the sources, or of LOGBUCH_TEST_MLFLOW3 and LOGBUCH_TEST_MLFLOW2 (paths of interpreters).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.servers import Server

CLIENTS = Path(__file__).parent / "clients"
ROOT = Path(__file__).parents[2]
# A client that hangs is a fault too; the slowest script needs an eighth of this.
SECONDS = 480


@dataclass(frozen=True)
class Client:
    """An interpreter that can import one version of MLflow, pointed at one server."""

    major: int
    python: Path
    server: Server
    home: Path

    def seen(self, script: str, *arguments: str, **environment: str) -> dict[str, Any]:
        """Runs a script of ``clients/`` and returns the JSON that it told."""
        output = self.run(str(CLIENTS / script), *arguments, **environment)
        told = [line for line in output.splitlines() if line.startswith("SEEN ")]
        assert told, f"{script} told nothing: {output[-2000:]}"
        seen: dict[str, Any] = json.loads(told[-1].removeprefix("SEEN "))
        return seen

    def run(self, *command: str, **environment: str) -> str:
        """Runs the interpreter and returns what it printed; a failure of the process fails the test."""
        done = subprocess.run(
            [str(self.python), *command],
            cwd=self.home,
            env=self._environment() | environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr[-6000:]}"
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """Ours without anything that steers a tracker, and nothing that reaches beyond this machine."""
        steering = ("MLFLOW_", "LOGBUCH_", "PYTEST_", "COV_")
        own = {key: value for key, value in os.environ.items() if not key.startswith(steering)}
        return own | {
            "HOME": str(self.home),
            "MLFLOW_TRACKING_URI": self.server.url,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "120",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "HF_HUB_OFFLINE": "1",
            "MPLBACKEND": "Agg",
            "GIT_PYTHON_REFRESH": "quiet",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "OMP_NUM_THREADS": "1",
        }


def interpreter(major: int) -> Path:
    """The interpreter of one version's environment. A missing one is a failure: a skipped check checks nothing."""
    variable = f"LOGBUCH_TEST_MLFLOW{major}"
    python = Path(os.environ.get(variable, ROOT / f".venv-mlflow{major}" / "bin" / "python"))
    if not python.exists():
        pytest.fail(f"There is no MLflow {major} at {python}: create it with `make compat-envs`, or set {variable}.")
    return python


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a module."""
    folder = tmp_path_factory.mktemp("server")
    started = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    yield started
    started.stop()


def _client(major: int, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(major, interpreter(major), server, tmp_path_factory.mktemp(f"mlflow{major}"))


@pytest.fixture(scope="module", params=[2, 3], ids=["mlflow2", "mlflow3"])
def client(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """Both clients, one after the other."""
    return _client(request.param, server, tmp_path_factory)


@pytest.fixture(scope="module")
def newest(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The newest client, whose environment holds transformers too."""
    return _client(3, server, tmp_path_factory)
