"""The points of a run while it is read, in columns by metric."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np

from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.metrics.points import Series
from logbuch.transfer.naming import Keys
from logbuch.transfer.report import Report

DUPLICATES = "points that stand twice in the files, and once here"


class Columns:
    """Steps, times (Unix ms) and values of each metric."""

    def __init__(self) -> None:
        self._by_name: dict[str, tuple[Any, Any, Any]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __len__(self) -> int:
        return len(self._by_name)

    def add(self, name: str, step: int, time: int, value: float) -> None:
        """Adds a point, or nothing of it: OverflowError for a number that cannot be kept."""
        number = float(value)
        if not (INT64_MIN <= step <= INT64_MAX and INT64_MIN <= time <= INT64_MAX):
            raise OverflowError(f"step {step} or time {time} has more than 64 bits")
        columns = self._by_name.get(name)
        if columns is None:
            columns = self._by_name[name] = (array("q"), array("q"), array("d"))
        for column, one in zip(columns, (step, time, number), strict=True):
            column.append(one)

    def count(self, name: str) -> int:
        """How many points a metric has."""
        found = self._by_name.get(name)
        return len(found[0]) if found else 0

    def last_step(self, without: str) -> int:
        """The highest of the steps that the metrics end with; 0 without any. Names that begin so do not count."""
        ends = (columns[0][-1] for name, columns in self._by_name.items() if not name.startswith(without))
        return max(ends, default=0)

    def times(self) -> tuple[int, int]:
        """The first and the last time that is known, (0, 0) without one."""
        found = [time for _, times, _ in self._by_name.values() for time in (min(times), max(times)) if time]
        return min(found, default=0), max(found, default=0)

    def points(self, keys: Keys, report: Report) -> Iterator[Incoming]:
        """The points metric by metric, ordered by step and time; what stands twice is there once, and counted."""
        for name, (steps, times, values) in sorted(self._by_name.items()):
            found = Series(np.array(steps, np.int64), np.array(times, np.int64), np.array(values, np.float64))
            series = found.ordered()
            report.note(DUPLICATES, len(found) - len(series))
            index = np.zeros(len(series), np.int64)
            yield Incoming([keys.of(name)], index, series.steps, series.timestamps, series.values)


def ordered(found: Incoming) -> Incoming:
    """Points by metric, step and time. What was logged step by step only has to be brought together by metric."""
    index = np.asarray(found.index)
    narrow = index.astype(np.uint16) if len(found.names) <= 1 << 16 else index  # sorted in one linear pass
    order = np.argsort(narrow, kind="stable")
    index, steps, times = (np.asarray(column)[order] for column in (found.index, found.steps, found.timestamps))
    later = (steps[1:] > steps[:-1]) | ((steps[1:] == steps[:-1]) & (times[1:] >= times[:-1]))
    if not (later | (index[1:] != index[:-1])).all():
        rest = np.lexsort((times, steps, index))
        order, index, steps, times = order[rest], index[rest], steps[rest], times[rest]
    return Incoming(found.names, index, steps, times, np.asarray(found.values)[order])
