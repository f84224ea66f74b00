"""``python -m benchmarks.checking``: what it costs the server to judge the stability of runs while they are logged.

Two servers are up at once, one that judges runs and one that does not. Each is sent 20 runs of 20 metrics, among them
those that are watched, 50 steps a request, by JSON batches and by Logbuch's protocol: a small part of all at a time, by
turns, in an order drawn by lot. So whatever else the machine does falls on both. ``while`` counts a server's processor
time while the runs go on, by the interquartile mean of the turns' ratios with its 95% interval (bootstrap); ``after``
that until both have come to rest, which seals the points and judges runs that no longer change. Both are asked as often
what is judged.

Besides, the thread that judges is counted by itself, as a share of all that its server did otherwise: a figure that
does not hang on how two servers differ. It leaves out the commits of verdicts, which other threads make for it.
``--blank`` compares two servers that judge nothing: what then differs is the noise of the comparison.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from benchmarks import servers, threads
from benchmarks.client import MLFLOW
from benchmarks.encoders import Encoder, encoders
from benchmarks.generator import Block, dense
from benchmarks.servers import Server
from benchmarks.workloads import batch

RUNS, KEYS, PART, LANES = 20, 20, 50, 4
NAMES = ("train/loss", "eval/loss", "train/grad_norm", "train/learning_rate", "train/tokens_per_second",
         "system/gpu_0_utilization_percentage")  # fmt: skip
THREAD = "logbuch-examiner"
SEALED_SECONDS = 12.0
"""So long after the last point a server has at least begun to seal the points of all runs."""
RESAMPLED = 1000
REST_SECONDS, AT_REST = 5.0, 0.005
"""A server is at rest that has used less than this share of a core for so long."""


class Used(NamedTuple):
    """Processor seconds: of the whole server, and of its thread that judges."""

    whole: float
    judging: float = 0.0

    def since(self, before: Used) -> Used:
        return Used(self.whole - before.whole, self.judging - before.judging)


@dataclass
class Side:
    """One of the two servers, the runs that it is sent, and how."""

    server: Server
    encoder: type[Encoder]
    experiment: str
    runs: list[str]

    @classmethod
    def of(cls, server: Server, place: int) -> Side:
        experiment = server.client.new_experiment("checked")
        runs = [server.client.new_run(experiment) for _ in range(RUNS)]
        return cls(server, encoders(server)[place], experiment, runs)

    def used(self) -> Used:
        return Used(threads.of_process(self.server.pid), threads.of_thread(self.server.pid, THREAD))

    def log(self, first: int, steps: int) -> None:
        batch.log(self.server, self.encoder, [self._blocks(lane, first, first + steps) for lane in range(LANES)])

    def _blocks(self, lane: int, first: int, end: int) -> Iterator[Block]:
        """All runs of a lane go on side by side."""
        for start in range(first, end, PART):
            for number in range(lane, RUNS, LANES):
                block = dense(self.runs[number], number, start, min(PART, end - start), KEYS)
                keys = [*NAMES, *block.keys[len(NAMES) :]]
                yield Block(block.run_id, keys, block.steps, block.timestamps, block.values)

    def judged(self) -> int:
        """How many of its runs bear a verdict."""
        body = {"experiment_ids": [self.experiment], "filter": "tags.`logbuch.stability` LIKE '%'", "max_results": RUNS}
        found = self.server.client.request("POST", f"{MLFLOW}runs/search", msgspec.json.encode(body))
        return len(msgspec.json.decode(found).get("runs", []))


class Spent(NamedTuple):
    """What both servers used, the one that does not judge first: in each turn, and after the last."""

    turns: list[tuple[Used, Used]]
    after: tuple[Used, Used]

    @property
    def ratios(self) -> list[float]:
        """Of each turn, that of what both used."""
        return [checked.whole / without.whole for without, checked in self.turns]

    def whole(self, side: int) -> tuple[float, float]:
        """Of one server: while runs went on, and after."""
        return sum(turn[side].whole for turn in self.turns), self.after[side].whole

    @property
    def judging(self) -> tuple[float, float]:
        """The same of the thread that judges."""
        return sum(checked.judging for _, checked in self.turns), self.after[1].judging


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checking", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="each with fresh servers")
    parser.add_argument("--turns", type=int, default=80)
    parser.add_argument("--steps", type=int, default=20_000, help="of each run, in all turns")
    parser.add_argument("--blank", action="store_true", help="compare two servers that judge nothing")
    options = parser.parse_args()
    for place, name in enumerate(("JSON batches", "native")):
        print(f"{name}: {RUNS * KEYS * options.steps:,} points, s of the server's CPU, without and with checks")
        for _ in range(options.rounds):
            _tell(_spent(place, options.steps, options.turns, blank=options.blank))
    return 0


def _tell(spent: Spent) -> None:
    (without, without_after), (checked, checked_after) = spent.whole(0), spent.whole(1)
    ratio, (least, most) = _interquartile_mean(spent.ratios), _interval(spent.ratios)
    whole = (without * ratio + checked_after) / (without + without_after)
    judging = sum(spent.judging)
    print(f"  while {without:.2f}, {checked:.2f}: {ratio - 1:+.1%} ({least - 1:+.1%} to {most - 1:+.1%}); ", end="")
    print(f"after {without_after:.2f}, {checked_after:.2f}; in all {whole - 1:+.1%}")
    print(f"    the thread that judges {spent.judging[0]:.3f}, {spent.judging[1]:.3f}: ", end="")
    print(f"{judging / (checked + checked_after - judging):.1%} of what the others did", flush=True)


def _interquartile_mean(numbers: Sequence[float]) -> float:
    """The mean without the least and the greatest quarter."""
    cut = len(numbers) // 4
    return statistics.fmean(sorted(numbers)[cut : len(numbers) - cut])


def _interval(numbers: Sequence[float]) -> tuple[float, float]:
    """In which that mean lies with a probability of 95%."""
    lot = random.Random(0)
    drawn = sorted(_interquartile_mean(lot.choices(numbers, k=len(numbers))) for _ in range(RESAMPLED))
    return drawn[RESAMPLED // 40], drawn[-1 - RESAMPLED // 40]


def _spent(place: int, steps: int, turns: int, *, blank: bool) -> Spent:
    with ExitStack() as stack:
        sides = tuple(
            Side.of(stack.enter_context(servers.logbuch_sqlite(environment=_settings(judges), named=True)), place)
            for judges in (False, not blank)
        )
        _rest(sides)
        return Spent(list(_turns(sides, steps, turns)), _after(sides, judges=not blank))


def _settings(judges: bool) -> dict[str, str]:
    return {"LOGBUCH_CHECK_RUNS": str(judges)}


def _turns(sides: tuple[Side, ...], steps: int, turns: int) -> Iterator[tuple[Used, Used]]:
    order, length = random.Random(steps), -(-steps // turns)
    for first in range(0, steps, length):
        before = [side.used() for side in sides]
        for side in order.sample(sides, len(sides)):
            side.log(first, min(length, steps - first))
        without, checked = (side.used().since(then) for side, then in zip(sides, before, strict=True))
        yield without, checked


def _after(sides: tuple[Side, ...], *, judges: bool) -> tuple[Used, Used]:
    """Both are left to themselves as long and asked as often: what that costs is not laid to the checks."""
    before = [side.used() for side in sides]
    time.sleep(SEALED_SECONDS)
    while [side.judged() for side in sides][1] < RUNS and judges:
        time.sleep(REST_SECONDS)
    _rest(sides)
    without, checked = (side.used().since(then) for side, then in zip(sides, before, strict=True))
    return without, checked


def _rest(sides: Sequence[Side]) -> None:
    while True:
        before = [side.used().whole for side in sides]
        time.sleep(REST_SECONDS)
        if all(side.used().whole - then < AT_REST * REST_SECONDS for side, then in zip(sides, before, strict=True)):
            return


if __name__ == "__main__":
    sys.exit(main())
