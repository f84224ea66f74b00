"""The trackers that are measured, each started as its users start it, on SQLite in a fresh folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
START_SECONDS = 120


@dataclass
class Tracker:
    """A running server: its address, its processes, and how long it took to answer."""

    name: str
    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    ready_seconds: float

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    def resident_bytes(self) -> int:
        return sum(process.memory_info().rss for process in self._processes())

    def disk_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file() and file.name != "log")

    def _processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@contextmanager
def logbuch() -> Iterator[Tracker]:
    with _started("Logbuch", [sys.executable, "-m", "logbuch", "server"], "logbuch.db") as tracker:
        yield tracker


@contextmanager
def mlflow() -> Iterator[Tracker]:
    """MLflow's server with one worker, which is its faster setting here."""
    command = [str(ROOT / ".venv-mlflow3" / "bin" / "mlflow"), "server", "--workers", "1"]
    with _started("MLflow", command, "mlflow.db", {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}) as tracker:
        yield tracker


def available() -> list[str]:
    """The trackers that can be measured here."""
    peers = ["logbuch"]
    if (ROOT / ".venv-mlflow3" / "bin" / "mlflow").exists():
        peers.append("mlflow")
    return peers


@contextmanager
def _started(
    name: str, command: list[str], database: str, environment: dict[str, str] | None = None
) -> Iterator[Tracker]:
    with tempfile.TemporaryDirectory(prefix="bench-") as place, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        folder = Path(place)
        arguments = ["--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/{database}"]
        arguments += ["--default-artifact-root", f"{folder}/artifacts"]
        begun = time.monotonic()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *arguments], stdout=log, stderr=log, env=os.environ | (environment or {}), cwd=folder
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield Tracker(name, url, folder, process, time.monotonic() - begun)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit(f"the server at {url} did not start")
