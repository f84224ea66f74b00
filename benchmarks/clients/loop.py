"""A training loop that logs by one client library, and what it measured as JSON: run by that library's own Python.

``python loop.py CLIENT --url URL --folder FOLDER --steps N`` with nothing but the standard library and the client.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

Log = Callable[[dict[str, float], int], None]
DATA = bytes(range(256)) * 1024


def percentile(values: Sequence[int], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))] / 1000


class Untracked:
    """A training that nobody follows: what the others are compared with."""

    def __init__(self, url: str, folder: str) -> None: ...

    def one(self, values: dict[str, float], step: int) -> None: ...

    many = one

    def finish(self) -> None: ...


class Logbuch:
    def __init__(self, url: str, folder: str) -> None:
        os.environ.update(LOGBUCH_QUIET="1", LOGBUCH_JOURNAL_FOLDER=folder, LOGBUCH_CONSOLE="false")
        import logbuch

        self._client = logbuch
        logbuch.set_tracking_uri(url)
        logbuch.start_run()

    def one(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._client.log_metric(key, value, step=step)

    def many(self, values: dict[str, float], step: int) -> None:
        self._client.log_metrics(values, step=step)

    def finish(self) -> None:
        self._client.end_run()


class MLflow:
    synchronous = True

    def __init__(self, url: str, folder: str) -> None:  # noqa: ARG002
        import mlflow

        self._client: Any = mlflow
        mlflow.set_tracking_uri(url)
        mlflow.start_run()

    def one(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._client.log_metric(key, value, step=step, synchronous=self.synchronous)

    def many(self, values: dict[str, float], step: int) -> None:
        self._client.log_metrics(values, step=step, synchronous=self.synchronous)

    def finish(self) -> None:
        if not self.synchronous:
            self._client.flush_async_logging()
        self._client.end_run()


class MLflowAsync(MLflow):
    synchronous = False


class WandbOffline:
    def __init__(self, url: str, folder: str) -> None:  # noqa: ARG002
        os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true")
        import wandb

        settings = wandb.Settings(x_disable_stats=True, console="off")
        self._run: Any = wandb.init(project="bench", dir=folder, settings=settings)

    def one(self, values: dict[str, float], step: int) -> None:
        self._run.log(values, step=step)

    many = one

    def finish(self) -> None:
        self._run.finish()


class Trackio:
    def __init__(self, url: str, folder: str) -> None:  # noqa: ARG002
        os.environ["TRACKIO_DIR"] = folder
        import trackio

        self._client: Any = trackio
        trackio.init(project="bench", embed=False)

    def one(self, values: dict[str, float], step: int) -> None:
        self._client.log(values, step=step)

    many = one

    def finish(self) -> None:
        self._client.finish()


class Aim:
    def __init__(self, url: str, folder: str) -> None:  # noqa: ARG002
        import aim

        self._run: Any = aim.Run(repo=folder, system_tracking_interval=None, capture_terminal_logs=False)

    def one(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._run.track(value, name=key, step=step)

    many = one

    def finish(self) -> None:
        self._run.close()


class TensorBoardX:
    def __init__(self, url: str, folder: str) -> None:  # noqa: ARG002
        from tensorboardX import SummaryWriter

        self._writer: Any = SummaryWriter(folder)

    def one(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._writer.add_scalar(key, value, step)

    many = one

    def finish(self) -> None:
        self._writer.close()


CLIENTS: dict[str, Any] = {
    "untracked": Untracked,
    "logbuch": Logbuch,
    "mlflow": MLflow,
    "mlflow-async": MLflowAsync,
    "wandb": WandbOffline,
    "trackio": Trackio,
    "aim": Aim,
    "tensorboardx": TensorBoardX,
}


def calls(log: Log, steps: int, keys: int) -> list[int]:
    """Nanoseconds of each call that logs so many metrics of a step, some steps of warming up left out."""
    data = [{f"m{key}": (step * 7919 + key) % 1000 / 1000 for key in range(keys)} for step in range(steps)]
    clock, found = time.perf_counter_ns, [0] * steps
    for step, values in enumerate(data):
        begun = clock()
        log(values, step)
        found[step] = clock() - begun
    return found[min(100, steps // 10) :]


def beside_a_busy_thread(log: Log, steps: int) -> list[int]:
    end = threading.Event()

    def work() -> None:
        number = 0
        while not end.is_set():
            number += 1

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        return calls(log, steps, 1)
    finally:
        end.set()
        thread.join()


def loop_of_points(client: Any, points: int) -> dict[str, float]:
    """Seconds of a loop of single points, and until all of them are where the client keeps them."""
    begun = time.perf_counter()
    for step in range(points):
        client.one({"loss": 0.5}, step)
    looped = time.perf_counter() - begun
    client.finish()
    return {"loop": looped, "stored": time.perf_counter() - begun}


def work() -> None:
    """Some 10 ms of a training's own work in libraries, most of it while it holds the interpreter. Loops of
    Python's own ran at speeds that differed by a fifth within one untracked process; docs/decisions/0009-journal.md
    has what they gave."""
    for _ in repeat(None, 40):
        DATA.count(b"\1\1")
    hashlib.pbkdf2_hmac("sha256", b"", b"", 12_000)


def in_turns(begin: Callable[[], Any]) -> None:
    """A training that does as each line of the input says: so many steps, which log 20 metrics each, or to ``begin`` to
    be tracked. Answers each with seconds, and seconds of CPU of all threads."""
    client: Any = Untracked("", "")
    step = 0
    for line in sys.stdin:
        begun, cpu = time.perf_counter(), time.process_time()
        if line.strip() == "begin":
            client = begin()
        else:
            for _ in range(int(line)):
                work()
                client.many({f"m{key}": float(step) for key in range(20)}, step)
                step += 1
        print(time.perf_counter() - begun, time.process_time() - cpu, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--url", default="")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--turns", action="store_true")
    options = parser.parse_args()
    if options.turns:
        in_turns(lambda: CLIENTS[options.client](options.url, options.folder))
        os._exit(0)
    begun = time.perf_counter()
    client = CLIENTS[options.client](options.url, options.folder)
    found = {"begin": time.perf_counter() - begun}
    if options.points:
        found |= loop_of_points(client, options.points)
    else:
        for name, taken in (
            ("one", calls(client.one, options.steps, 1)),
            ("busy", beside_a_busy_thread(client.one, options.steps // 4)),
            ("twenty", calls(client.many, options.steps // 10, 20)),
        ):
            found |= {f"{name} median": percentile(taken, 0.5), f"{name} p99": percentile(taken, 0.99)}
        begun = time.perf_counter()
        client.finish()
        found["finish"] = time.perf_counter() - begun
    print("\n" + json.dumps(found), flush=True)
    sys.stdout.flush()
    os._exit(0)  # some clients wait for threads of their own


if __name__ == "__main__":
    main()
