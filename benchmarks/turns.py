"""Two processes that work in turns, a small portion each, while the other is stopped.

No two processes are equally fast, and a shared machine is never equally fast for long: what one does in ten seconds
says little beside what another does in the ten seconds after. Portions that lie side by side say it, and each process
is compared with what it was itself before.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self


class Portion(NamedTuple):
    """What a portion of work took: seconds, and CPU seconds of all threads of its process."""

    seconds: float
    cpu: float


class Round(NamedTuple):
    """A portion of each process, one right after the other."""

    bare: Portion
    tracked: Portion


class Worker:
    """A process that reads what to do and answers what it took (:func:`benchmarks.clients.loop.in_turns`); stopped in
    between."""

    def __init__(self, command: Sequence[str | Path], folder: Path) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, bufsize=1, cwd=folder
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, what: str) -> Portion:
        """RuntimeError where the process ends instead of answering."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        if len(answer) != 2:
            raise RuntimeError(f"a process that works in turns ended instead of {what!r}")
        self._process.send_signal(signal.SIGSTOP)
        return Portion(*map(float, answer))


def rounds(bare: Worker, tracked: Worker, count: int, steps: int) -> list[Round]:
    """So many rounds of so many steps each; now the one is first and now the other."""
    found = []
    for number in range(count):
        if number % 2:
            later = tracked.do(str(steps))
            found.append(Round(bare.do(str(steps)), later))
        else:
            found.append(Round(bare.do(str(steps)), tracked.do(str(steps))))
    return found


def slower(before: Sequence[Round], after: Sequence[Round]) -> Portion:
    """How many times slower the tracked process became, seconds and CPU, by what the other did beside it."""

    def ratio(part: int) -> float:
        then, now = (middle([each.tracked[part] / each.bare[part] for each in found]) for found in (before, after))
        return now / then

    return Portion(ratio(0), ratio(1))


def middle(values: Sequence[float]) -> float:
    """The mean of the middle half (interquartile mean): a stall of the machine in one portion does not count, and what
    comes back in each does."""
    ordered = sorted(values)
    cut = len(ordered) // 4
    kept = ordered[cut : len(ordered) - cut]
    return sum(kept) / len(kept)
