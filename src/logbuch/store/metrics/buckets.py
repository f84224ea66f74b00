"""Buckets: what a chart needs of a series, whatever its length.

The range is cut into equal parts; each part that holds points gives exact count, least, greatest, first, last and mean
of its finite values, and counts of NaN and ±Inf. A spike one step wide is in the greatest value of its bucket. Where
rows are summaries of stretches, a bucket ends with a stretch, so its border may lie a fraction of its width further on;
what it says of its points is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics.rows import Floats, Rows, merge
from logbuch.store.metrics.smoothing import moving_average

COLUMNS = (
    "x", "x_last", "count", "min", "max", "first", "last", "mean", "smooth", "nan", "pos_inf", "neg_inf",
)  # fmt: skip
"""The columns of a bucket table, all float64; ``count`` is that of the finite points."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The non-empty buckets of one series: ``table`` has a row a column of :data:`COLUMNS`; and the series' extent."""

    table: Floats
    points: int
    x_min: float
    x_max: float


@dataclass(frozen=True, slots=True)
class View:
    """What a chart shows: at most ``count`` buckets between ``start`` and ``end`` (inclusive; None: the extent).

    ``smoothing``, from 0 to below 1, is the weight of an exponential moving average with bias correction over the whole
    series, so that zooming does not change it.
    """

    count: int
    start: float | None = None
    end: float | None = None
    smoothing: float = 0.0


def table(rows: Rows, view: View, low: float, high: float) -> Floats:
    """The bucket table of a series' rows; ``low`` and ``high`` are its extent, for what the view leaves open."""
    smooth = _smoothed(rows, view.smoothing)
    first = 0 if view.start is None else int(np.searchsorted(rows.x_last, view.start, side="left"))
    last = len(rows) if view.end is None else int(np.searchsorted(rows.x, view.end, side="right"))
    if first >= last:
        return np.empty((len(COLUMNS), 0))
    shown, smooth = rows[first:last], smooth[first:last]
    starts = _starts(
        shown.x, low if view.start is None else view.start, high if view.end is None else view.end, view.count
    )
    merged = shown if len(starts) == len(shown) else merge(shown, starts)
    # The average as it stands at the bucket's last finite point.
    places = np.maximum.accumulate(np.where(shown.count > 0, np.arange(len(shown)), -1))
    ends = np.append(starts[1:], len(shown)) - 1
    line = np.where(merged.count > 0, smooth[places[ends]], np.nan)
    names = {"smooth": line}
    return np.stack([names[name] if name in names else getattr(merged, name) for name in COLUMNS])


def _smoothed(rows: Rows, weight: float) -> Floats:
    if weight <= 0:
        return rows.last
    filled = rows.count > 0
    smooth = rows.last.copy()
    smooth[filled] = moving_average(rows.mean[filled], rows.count[filled], weight)
    return smooth


def _starts(x: Floats, low: float, high: float, count: int) -> NDArray[np.intp]:
    """Where each non-empty bucket begins. Where there are no more rows than buckets, each has its own."""
    if len(x) <= count:
        return np.arange(len(x))
    with np.errstate(over="ignore"):
        width = high / count - low / count
    if not width > 0:
        return np.zeros(1, np.intp)
    number = np.clip((x / width - low / width).astype(np.int64), 0, count - 1)
    return np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
