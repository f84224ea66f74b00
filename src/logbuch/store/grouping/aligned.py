"""Curves of groups of runs: in each bucket, the statistics of the runs' values there.

A run's value in a bucket is the mean of its finite points in it, so that a run that logs often weighs no more than one
that logs seldom. All groups share their buckets: either one for each x, where the runs were logged at the same ones, or
equal parts of the range, no more than the longest series has rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logbuch.store.grouping import statistics
from logbuch.store.metrics import buckets

COLUMNS = (
    "x", "x_last", "runs", "mean", "std", "stderr", "low", "high", "min", "max", "nan", "pos_inf", "neg_inf",
)  # fmt: skip
"""The columns of a curve, all float64. ``runs`` have a finite value in the bucket; the last three count the runs that
logged such a point in it."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
_nothing = np.empty(0, np.int64)
_NEEDED = tuple(buckets.COLUMNS.index(name) for name in ("x", "x_last", "count", "mean", "nan", "pos_inf", "neg_inf"))


@dataclass(frozen=True, slots=True)
class Extent:
    """The common range: that of all series, or what the chart asked for."""

    low: float
    high: float


def thin(table: Floats) -> Floats:
    """What curves need of a bucket table, so that not all of it has to be kept for thousands of series."""
    return table[list(_NEEDED)]


def tables(series: Sequence[Floats], members: Sequence[Sequence[int]], extent: Extent, count: int) -> list[Floats]:
    """For each group a table with a row a column of :data:`COLUMNS`; buckets without any of its points are left out.

    ``series`` are thinned bucket tables, cut at the same ``count`` edges of ``extent``; ``members`` tells which of them
    belong to each group, and may name one in several groups.
    """
    rows = _Rows.of(series, extent, count)
    if rows is None or not members:
        return [np.empty((len(COLUMNS), 0)) for _ in members]
    # Where each series begins and ends; the rows of all members, group by group.
    bounds = np.searchsorted(rows.owner, np.arange(len(series) + 1))
    chosen = np.concatenate([_nothing, *(np.arange(*bounds[one : one + 2]) for group in members for one in group)])
    sizes = [sum(bounds[one + 1] - bounds[one] for one in group) for group in members]
    group = np.repeat(np.arange(len(members)), sizes)
    codes, cells = np.unique(group * len(rows.x) + rows.place[chosen], return_inverse=True)
    place = codes % len(rows.x)
    finite = np.isfinite(rows.mean[chosen])
    found = statistics.of_groups(rows.mean[chosen][finite], cells[finite], len(codes))
    odd = [np.bincount(cells, column[chosen], len(codes)) for column in rows.odd]
    named = [getattr(found, "count" if name == "runs" else name) for name in COLUMNS[2:10]]
    table = np.stack([rows.x[place], rows.x_last[place], *named, *odd])
    return np.split(table, np.searchsorted(codes, np.arange(1, len(members)) * len(rows.x)), axis=1)


@dataclass(frozen=True, slots=True)
class _Rows:
    """One row a series and bucket, series by series: whose it is, its bucket, the mean of its finite points (NaN where
    there is none), and whether it holds NaN, Inf and -Inf; ``x`` and ``x_last`` have an entry a bucket."""

    owner: Codes
    place: Codes
    mean: Floats
    odd: Sequence[NDArray[np.bool_]]
    x: Floats
    x_last: Floats

    @classmethod
    def of(cls, series: Sequence[Floats], extent: Extent, count: int) -> _Rows | None:
        """None where there is no point at all."""
        lengths = [part.shape[1] for part in series]
        if not any(lengths):
            return None
        x, x_last, points, mean, *odd = np.concatenate(series, axis=1)
        owner = np.repeat(np.arange(len(series)), lengths)
        place = _places(x, x_last, extent, count, max(lengths))
        first = np.full(int(place.max()) + 1, np.inf)
        last = np.full(len(first), -np.inf)
        np.minimum.at(first, place, x)
        np.maximum.at(last, place, x_last)
        starts = np.flatnonzero(np.concatenate(([True], (owner[1:] != owner[:-1]) | (place[1:] != place[:-1]))))
        return cls(
            owner[starts],
            place[starts],
            _means(mean, points, starts),
            [np.add.reduceat(column, starts) > 0 for column in odd],
            first,
            last,
        )


def _places(x: Floats, x_last: Floats, extent: Extent, count: int, longest: int) -> Codes:
    """The number of each row's bucket among those that hold any row, in the order of x."""
    parts = count
    if (x == x_last).all():  # nothing is merged yet, so the edges are free
        distinct, places = np.unique(x, return_inverse=True)
        parts = min(count, longest)
        # Series of the same steps have few more of them together than the longest has alone.
        if len(distinct) <= min(count, longest * 3 // 2):
            return places
    with np.errstate(over="ignore"):
        width = extent.high / parts - extent.low / parts
    if not width > 0:
        return np.zeros(len(x), np.int64)
    numbers = np.clip((x / width - extent.low / width).astype(np.int64), 0, parts - 1)
    return np.unique(numbers, return_inverse=True)[1]


def _means(mean: Floats, points: Floats, starts: Codes) -> Floats:
    """The mean of all finite points from each start to the next, from the means of rows and their numbers of points."""
    ends = np.append(starts[1:], len(mean))
    total = np.add.reduceat(points, starts)
    filled = points > 0
    # Sums of values near the greatest double overflow; shares of the mean do not.
    shares = np.where(filled, mean, 0.0) * (points / np.repeat(np.maximum(total, 1), ends - starts))
    least = np.minimum.reduceat(np.where(filled, mean, np.inf), starts)
    greatest = np.maximum.reduceat(np.where(filled, mean, -np.inf), starts)
    with np.errstate(over="ignore"):
        summed = np.clip(np.add.reduceat(shares, starts), least, greatest)
    return np.where(total > 0, summed, np.nan)
