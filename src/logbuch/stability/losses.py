"""Records that were lost on their way: refused by the server, or dropped where no disk had room."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from logbuch.stability.curve import Floats
from logbuch.stability.findings import Finding, Kind

HOLE = 2.0
"""A hole in the steps is longer than so many usual distances."""
LEAST_ROWS = 4


class Lost(NamedTuple):
    """How many records of a run were lost, and the steps of its loss, where the hole may be seen.

    Parallel arrays of rows, in order: the first and the last step of each, and how many points it stands for. Without
    a loss ``metric`` is empty.
    """

    records: int
    metric: str
    first: Floats
    last: Floats
    points: Floats

    @classmethod
    def nowhere(cls, records: int) -> Lost:
        return cls(records, "", np.empty(0), np.empty(0), np.empty(0))


def find(lost: Lost) -> list[Finding]:
    """That records are missing, how many, and the longest hole in the loss; without one ``metric`` is empty and
    ``start`` 0."""
    hole = _longest_hole(lost) if len(lost.first) >= LEAST_ROWS else None
    if hole is None:
        return [Finding(kind=Kind.LOST, metric="", start=0.0, count=lost.records)]
    return [Finding(kind=Kind.LOST, metric=lost.metric, start=hole[0], end=hole[1], count=lost.records)]


def _longest_hole(lost: Lost) -> tuple[float, float] | None:
    """The last step before the longest hole, and the first one after it. Where rows stand for many points, a hole among
    them is known by its row."""
    between, within = lost.first[1:] - lost.last[:-1], lost.last - lost.first
    usual = _usual(between, within, lost.points)
    if not usual > 0:
        return None
    extra = within - (lost.points - 1) * usual
    missing = np.concatenate((between - usual, extra))
    longest = int(np.argmax(missing))
    if missing[longest] < (HOLE - 1) * usual:
        return None
    if longest < len(between):
        return float(lost.last[longest]), float(lost.first[longest + 1])
    row = longest - len(between)
    return float(lost.first[row]), float(lost.last[row])


def _usual(between: Floats, within: Floats, points: NDArray[np.float64]) -> float:
    """The usual distance of two points."""
    many = points > 1
    distances = within[many] / (points[many] - 1) if many.any() else between
    return float(np.median(distances))
