"""A server of the real MLflow 3, for what is logged or exported to it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from support.ports import free_port

PYTHON = Path(__file__).parents[2] / ".venv-mlflow3" / "bin" / "python"
START_SECONDS = 150


@contextmanager
def mlflow_server(home: Path) -> Iterator[str]:
    """The address of a fresh server whose database and files lie in ``home``."""
    assert PYTHON.exists(), "run: make compat-envs"
    home.mkdir(exist_ok=True)
    port = free_port()
    command = [str(PYTHON), "-m", "mlflow", "server", "--port", str(port), "--workers", "1", "--host", "127.0.0.1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "files")]
    own = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_"))}
    own |= {"HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{PYTHON.parent}:{own['PATH']}"}
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=home, env=own | {"GIT_PYTHON_REFRESH": "quiet"}, stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process, home / "server.log")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its workers too
        process.wait(60)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{address}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)
