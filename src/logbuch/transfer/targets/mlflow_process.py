"""An MLflow database as the target: MLflow's own server is started on it, which makes and knows its tables.

So the tables are those of the MLflow that is installed, whatever its version, and nothing here has to know them.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from logbuch.errors import InvalidInput, Unavailable

START_SECONDS, STOP_SECONDS = 180.0, 10.0
_PAUSE = 0.1
_PORTS, _TRIES = (20_000, 32_000), 100
_HOST = "127.0.0.1"


def program(named: str | None) -> str:
    """The command that starts MLflow. Raises InvalidInput where there is none."""
    found = shutil.which(named or "mlflow")
    if found is None:
        what = f"There is no command {named!r}" if named else "MLflow is not installed here"
        raise InvalidInput(
            f"{what}: it makes the tables of its database. Install it (pip install mlflow), in an environment of its "
            "own if need be, and name its command with --mlflow."
        )
    return found


def command(mlflow: str, uri: str, files: Path) -> list[str]:
    """How MLflow's server is started on a database whose artifacts lie in a folder."""
    return [mlflow, "server", "--backend-store-uri", uri, "--artifacts-destination", str(files)]


@contextmanager
def served(mlflow: str, uri: str, files: Path) -> Iterator[str]:
    """The address of MLflow's server on a database, for as long as the context lasts.

    Raises Unavailable, with what the server said last, if it does not come up.
    """
    port = _free_port()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603  the command is the user's own
            [*command(mlflow, uri, files), "--host", _HOST, "--port", str(port), "--workers", "1"],
            env=_environment(os.environ, mlflow),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            address = f"http://{_HOST}:{port}"
            _wait(address, process, said)
            yield address
        finally:
            _stop(process)


def _environment(given: Mapping[str, str], mlflow: str) -> dict[str, str]:
    """Without what would lead MLflow elsewhere; it tells nobody of its use. Its own programs lie beside its command."""
    kept = {name: value for name, value in given.items() if not name.startswith("MLFLOW_")}
    path = os.pathsep.join((str(Path(mlflow).parent), kept.get("PATH", "")))
    return kept | {"PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def _free_port() -> int:
    """One below those that the system gives to outgoing connections: MLflow listens only seconds later."""
    for _ in range(_TRIES):
        port = random.randrange(*_PORTS)  # noqa: S311  guards nothing
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((_HOST, port))
            return port
    raise Unavailable("No port is free on which MLflow's server could listen.")


def _wait(address: str, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    import httpx

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/health", timeout=5.0).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            time.sleep(_PAUSE)
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    why = lines[-1] if lines else "it said nothing"
    raise Unavailable(f"MLflow's server did not come up on the database: {why}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server with all its workers."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
