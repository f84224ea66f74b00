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
from benchmarks.turns import Portion, Worker, rounds, slower

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
    """The same training untracked and tracked, with a server, with none, and with one that never answers; and two
    untracked ones, which tell how much of it is chance. What counts is the median of some pairs of processes."""
    untracked = Peer("", "untracked", "", ours.python)
    with servers.logbuch_sqlite() as server, black_hole() as silent:
        places = {
            "training": (ours, server.url),
            "training without a server": (ours, NOBODY),
            "training beside a black hole": (ours, silent),
            "untracked training": (untracked, ""),
        }
        found: dict[str, list[Portion]] = {name: [] for name in places}
        for _ in range(sizes.client_pairs):
            for name, (peer, url) in places.items():
                found[name].append(_slower(untracked, peer, url, sizes))
    return of_pairs(found)


def of_pairs(found: Mapping[str, Sequence[Portion]]) -> Figures:
    """How many times longer trainings took, and how much more CPU, than untracked ones beside them."""
    figures: Figures = {}
    for name, pairs in found.items():
        figures[f"{name}, × untracked"] = median(pair.seconds for pair in pairs)
        figures[f"CPU of {name}, × untracked"] = median(pair.cpu for pair in pairs)
    return figures


def _slower(untracked: Peer, peer: Peer, url: str, sizes: Sizes) -> Portion:
    """How many times slower a training becomes when its process begins to be tracked."""
    few, many = sizes.client_rounds
    steps = sizes.client_portion
    with (
        _folder() as folder,
        Worker(_command(untracked, "", folder, "--turns"), folder) as bare,
        Worker(_command(peer, url, folder, "--turns"), folder) as tracked,
    ):
        rounds(bare, tracked, 1, steps)  # of warming up
        before = rounds(bare, tracked, few, steps)
        tracked.do("begin")
        return slower(before, rounds(bare, tracked, many, steps))


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
    with _folder() as folder:
        command = _command(peer, url, folder, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"{peer.client} ended with {done.returncode}: {done.stderr[-500:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _command(peer: Peer, url: str, folder: Path, *arguments: str) -> list[str]:
    return [str(peer.python), str(LOOP), peer.client, "--url", url, "--folder", str(folder), *arguments]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


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
