"""Points on their way into the log: what the jobs of a group hand over, and the same as one table in columns."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics.points import Series

Column = Any
"""An array of 64-bit items: :class:`array.array`, which a few points make fastest, or numpy's."""


class Arrival(NamedTuple):
    """Points of one run in parallel columns; ``keys`` holds the inner ids of their keys."""

    run: int
    run_id: str
    keys: Column
    steps: Column
    timestamps: Column
    values: Column


@dataclass(frozen=True, slots=True)
class Arrived:
    """The points of a group, one run after the other: parallel columns, and where each run begins."""

    runs: Sequence[int]
    starts: Sequence[int]
    keys: NDArray[np.int64]
    points: Series

    @classmethod
    def of(cls, arrivals: Sequence[Arrival]) -> Arrived:
        """The points of all arrivals, those of one run together and in the order in which they came. Runs ascend."""
        ordered = sorted(arrivals, key=lambda arrival: arrival.run)
        runs: list[int] = []
        starts: list[int] = []
        count = 0
        for arrival in ordered:
            if not runs or runs[-1] != arrival.run:
                runs.append(arrival.run)
                starts.append(count)
            count += len(arrival.keys)
        values = _joined([arrival.values for arrival in ordered], np.float64)
        odd = np.isnan(values)
        if odd.any():
            # One NaN for all: its sign and payload mean nothing, and equal points must have equal bits.
            values = np.where(odd, math.nan, values)
        points = Series(
            _joined([arrival.steps for arrival in ordered], np.int64),
            _joined([arrival.timestamps for arrival in ordered], np.int64),
            values,
        )
        return cls(runs, starts, _joined([arrival.keys for arrival in ordered], np.int64), points)

    def __iter__(self) -> Iterator[tuple[int, NDArray[np.int64], Series]]:
        """Each run with its keys and points."""
        ends = [*self.starts[1:], len(self.keys)]
        for run, start, end in zip(self.runs, self.starts, ends, strict=True):
            yield run, self.keys[start:end], self.points[start:end]

    def counts(self) -> Mapping[int, int]:
        """How many points each run got."""
        return {run: len(keys) for run, keys, _ in self}


def _joined(columns: Sequence[Column], kind: Any) -> NDArray[Any]:
    if len(columns) == 1:
        return np.asarray(columns[0], kind)
    if all(type(column) is array for column in columns):
        # Many small columns: one buffer is cheaper than an array object each.
        return np.frombuffer(b"".join(columns), kind)
    return np.concatenate([np.asarray(column, kind) for column in columns])
