"""What a training pays for a call that logs: the client libraries side by side, each run by its own Python.

Logbuch and MLflow log to a server of their own; the others keep what they log in files, which is what they do best.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import history, servers
from benchmarks.client import Client
from benchmarks.figures import Figures
from benchmarks.servers import Maker
from benchmarks.sizes import Sizes

LOOP = Path(__file__).parents[1] / "clients" / "loop.py"
ROOT = Path(__file__).parents[2]
CLIENTS_PYTHON, AIM_PYTHON, MLFLOW_PYTHON = (
    ROOT / name / "bin" / "python" for name in (".venv-clients", ".venv-aim", ".venv-mlflow3")
)
NOBODY = "http://127.0.0.1:9"
"""Nothing listens there."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A client library: its module, the Python that has it, the server that it logs to, and by what its steps are
    divided because it is slow."""

    subject: str
    client: str
    module: str
    python: Path
    server: Maker | None = None
    slower: int = 1

    def installed(self) -> bool:
        if not self.python.exists():
            return False
        return not subprocess.run([self.python, "-c", f"import {self.module}"], capture_output=True).returncode


PEERS = (
    Peer("MLflow client", "mlflow", "mlflow", MLFLOW_PYTHON, servers.mlflow_default, 50),
    Peer("MLflow client, asynchronous", "mlflow-async", "mlflow", MLFLOW_PYTHON, servers.mlflow_default, 50),
    Peer("W&B offline", "wandb", "wandb", CLIENTS_PYTHON),
    Peer("Trackio", "trackio", "trackio", CLIENTS_PYTHON),
    Peer("Aim", "aim", "aim", AIM_PYTHON),
    Peer("TensorBoardX", "tensorboardx", "tensorboardX", CLIENTS_PYTHON),
)


def measure_ours(sizes: Sizes) -> Figures:
    """Calls, a million points until they are stored, the import, and a training with and without a server."""
    ours = Peer("", "logbuch", "logbuch", Path(sys.executable), servers.logbuch_sqlite)
    figures = measure(ours, sizes)
    figures["import logbuch, ms"] = 1000 * _import_seconds()
    with servers.logbuch_sqlite() as server:
        found = _run(ours, server.url, "--points", str(sizes.client_points))
        _verify(server.url, sizes.client_points)
    return figures | of_points(found["loop"], found["stored"]) | _trainings(ours, sizes)


def of_points(looped: float, stored: float) -> Figures:
    """What a loop of points took, and how long after 1.5 times that they were stored: less than 0 if before."""
    return {
        "a million points looped, s": looped,
        "a million points stored, s": stored,
        "a million points stored after 1.5 times the loop, s": stored - 1.5 * looped,
    }


def _verify(url: str, points: int) -> None:
    """Lost unless the server has every point of the loop, once."""
    server = Client(url)
    (run,) = server.post("runs/search", {"experiment_ids": ["0"], "max_results": 2})["runs"]
    found = history.read(server, run["info"]["run_id"], "loss").series
    server.close()
    if not np.array_equal(found.steps, np.arange(points)) or not (found.values == 0.5).all():
        raise history.Lost(f"of {points} points of the loop {len(found.steps)} came back, or others")


def _trainings(ours: Peer, sizes: Sizes) -> Figures:
    """The same training untracked and tracked, with a server, with none, and with one that never answers. Each tracked
    one runs right beside an untracked one, now before and now after it, for a machine is not always equally fast; and
    each process first trains as long untracked, before it imports anything, for processes are not equally fast either.
    What counts is the median of what each pair says, in seconds of the training and of the CPU (of all threads)."""
    untracked = Peer("", "untracked", "", Path(sys.executable))
    with servers.logbuch_sqlite() as server, black_hole() as silent:
        places = {"training": server.url, "training without a server": NOBODY, "training beside a black hole": silent}

        def train(peer: Peer, url: str, seconds: float = sizes.client_training) -> Figures:
            return _run(peer, url, "--training", str(seconds))

        for peer, url in [(untracked, ""), *((ours, url) for url in places.values())]:
            train(peer, url, 0.5)  # what they import is in the page cache then
        found: dict[str, list[tuple[Figures, Figures]]] = {name: [] for name in places}
        for number in range(sizes.client_rounds):
            for name, url in places.items():
                pair = [(untracked, ""), (ours, url)]
                first, second = [train(*one) for one in (pair if number % 2 == 0 else pair[::-1])]
                found[name].append((first, second) if number % 2 == 0 else (second, first))
    return of_pairs(found)


def of_pairs(found: Mapping[str, Sequence[tuple[Figures, Figures]]]) -> Figures:
    """How many times longer trainings took, and how much more CPU, than the untracked one (first of each pair) beside
    them, both measured by what their own process took alone; and the seconds of both."""
    figures = {"training untracked, s": median(bare["training"] for pairs in found.values() for bare, _ in pairs)}
    for name, pairs in found.items():
        figures[f"{name}, s"] = median(tracked["training"] for _, tracked in pairs)
        for what, key in ((name, "training"), (f"CPU of {name}", "training CPU")):
            figures[f"{what}, × untracked"] = median(
                _slower(tracked, key) / _slower(bare, key) for bare, tracked in pairs
            )
    return figures


def _slower(found: Figures, key: str) -> float:
    return found[key] / found[f"{key} alone"]


@contextmanager
def black_hole() -> Iterator[str]:
    """The address of a server that takes every connection and every byte, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def swallow() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:  # closed: the end
                    return

        threading.Thread(target=swallow, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


def measure(peer: Peer, sizes: Sizes) -> Figures:
    with _place(peer) as url:
        found = _run(peer, url, "--steps", str(max(400, sizes.client_steps // peer.slower)))
    return {
        "log_metric, µs": found["one median"],
        "log_metric, µs p99": found["one p99"],
        "log_metric beside a busy thread, µs p99": found["busy p99"],
        "log_metrics of 20, µs": found["twenty median"],
        "log_metrics of 20, µs p99": found["twenty p99"],
        "start of a run, s": found["begin"],
    }


@contextmanager
def _place(peer: Peer) -> Iterator[str]:
    if peer.server is None:
        yield ""
        return
    with peer.server() as server:
        yield server.url


def _run(peer: Peer, url: str, *arguments: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        command = [str(peer.python), str(LOOP), peer.client, "--url", url, "--folder", folder, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"{peer.client} ended with {done.returncode}: {done.stderr[-500:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _import_seconds() -> float:
    """How much longer a Python takes that imports logbuch, the best of some."""

    def seconds(code: str) -> float:
        taken = []
        for _ in range(10):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            taken.append(time.perf_counter() - begun)
        return min(taken)

    return seconds("import logbuch") - seconds("pass")
