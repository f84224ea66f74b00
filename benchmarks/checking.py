"""``python -m benchmarks.checking``: what it costs the server to judge the stability of runs while they are logged.

Logs 20 runs of 20 metrics, among them those that are watched, 50 steps a request, by Logbuch's protocol and by JSON
batches, each to a fresh server that judges runs and to one that does not, in turns. ``while`` counts the server's
processor time while the runs go on, ``after`` that until it has come to rest, which seals the points and judges runs
that have ended.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from benchmarks import servers
from benchmarks.client import MLFLOW
from benchmarks.encoders import Encoder, encoders
from benchmarks.generator import Block, dense
from benchmarks.process import Processes
from benchmarks.servers import Server
from benchmarks.workloads import batch

RUNS, KEYS, PART, LANES = 20, 20, 50, 4
NAMES = ("train/loss", "eval/loss", "train/grad_norm", "train/learning_rate", "train/tokens_per_second",
         "system/gpu_0_utilization_percentage")  # fmt: skip
SEALED_SECONDS = 12.0
"""So long after the last point a server has at least begun to seal the points of all runs."""
REST_SECONDS, AT_REST = 5.0, 0.005
"""A server is at rest that has used less than this share of a core for so long."""


class Spent(NamedTuple):
    """The server's processor seconds while points come, and after that; how often it was asked what is judged."""

    meanwhile: float
    after: float
    asked: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checking", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20_000, help="of each run")
    options = parser.parse_args()
    for place, name in enumerate(("JSON batches", "native")):
        off, on = [], []
        for _ in range(options.rounds):
            on.append(_spent(place, options.steps))
            off.append(_spent(place, options.steps, on[-1].asked))
        print(f"{name}: {RUNS * KEYS * options.steps:,} points, s of the server's CPU, without and with checks")
        print(f"  while  {_all(one.meanwhile for one in off)}; {_all(one.meanwhile for one in on)}")
        print(f"  after  {_all(one.after for one in off)}; {_all(one.after for one in on)}")
        without, checked = (statistics.median(one.meanwhile + one.after for one in spent) for spent in (off, on))
        print(f"  in all {without:.2f}; {checked:.2f}: {checked / without - 1:+.1%}", flush=True)
    return 0


def _spent(encoder: int, steps: int, asked: int | None = None) -> Spent:
    """With ``asked`` the server judges nothing, and is asked just as often and left to itself as long: what a question
    costs, and a server at rest, is not laid to the checks."""
    with servers.logbuch_sqlite(environment={"LOGBUCH_CHECK_RUNS": str(asked is None)}) as server:
        experiment = server.client.new_experiment("checked")
        runs = [server.client.new_run(experiment) for _ in range(RUNS)]
        _rest(server.processes)
        before = server.processes.cpu_seconds()
        how: type[Encoder] = encoders(server)[encoder]
        batch.log(server, how, [_blocks(runs, lane, steps) for lane in range(LANES)])
        between = server.processes.cpu_seconds()
        time.sleep(SEALED_SECONDS)
        times = 0
        while True:
            judged, times = _judged(server, experiment), times + 1
            if times == asked or judged == RUNS:
                break
            time.sleep(REST_SECONDS)
        _rest(server.processes)
        return Spent(between - before, server.processes.cpu_seconds() - between, times)


def _blocks(runs: list[str], lane: int, steps: int) -> Iterator[Block]:
    """All runs of a lane go on side by side."""
    for first in range(0, steps, PART):
        for number in range(lane, RUNS, LANES):
            block = dense(runs[number], number, first, min(PART, steps - first), KEYS)
            yield Block(block.run_id, [*NAMES, *block.keys[len(NAMES) :]], block.steps, block.timestamps, block.values)


def _judged(server: Server, experiment: str) -> int:
    body = {"experiment_ids": [experiment], "filter": "tags.`logbuch.stability` LIKE '%'", "max_results": RUNS}
    found = server.client.request("POST", f"{MLFLOW}runs/search", msgspec.json.encode(body))
    return len(msgspec.json.decode(found).get("runs", []))


def _rest(processes: Processes) -> None:
    while True:
        before = processes.cpu_seconds()
        time.sleep(REST_SECONDS)
        if processes.cpu_seconds() - before < AT_REST * REST_SECONDS:
            return


def _all(seconds: Iterable[float]) -> str:
    return ", ".join(f"{one:.2f}" for one in seconds)


if __name__ == "__main__":
    sys.exit(main())
