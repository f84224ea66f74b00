"""Buckets: what a chart needs of a series, whatever its length.

The range is cut into equal parts; each part that holds points gives exact count, least, greatest, first, last and mean
of its finite values, and counts of NaN and ±Inf. A spike one step wide is in the greatest value of its bucket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics.points import Series

Axis = Literal["step", "time", "relative"]
COLUMNS = (
    "x", "x_last", "count", "min", "max", "first", "last", "mean", "smooth", "nan", "pos_inf", "neg_inf",
)  # fmt: skip
"""The columns of a bucket table, all float64; ``count`` is that of the finite points."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Buckets:
    """The non-empty buckets of one series: ``table`` has a row a column of :data:`COLUMNS`; and the series' extent."""

    table: Floats
    points: int
    x_min: float
    x_max: float


def summarize(
    series: Series,
    axis: Axis,
    count: int,
    start: float | None = None,
    end: float | None = None,
    smoothing: float = 0.0,
    origin: int = 0,
) -> Buckets | None:
    """At most ``count`` buckets between ``start`` and ``end`` (inclusive); None for a series without points.

    ``origin`` is the run's start in ms, from which ``relative`` counts. ``smoothing``, from 0 to below 1, is the weight
    of an exponential moving average with bias correction over the whole series, so that zooming does not change it.
    """
    if not len(series):
        return None
    x, values = _axis(series, axis, origin)
    smooth = _moving_average(values, smoothing)
    x_min, x_max = float(x[0]), float(x[-1])
    first = 0 if start is None else int(np.searchsorted(x, start, side="left"))
    last = len(x) if end is None else int(np.searchsorted(x, end, side="right"))
    low, high = (x_min if start is None else start), (x_max if end is None else end)
    table = _table(x[first:last], values[first:last], smooth[first:last], low, high, count)
    return Buckets(table, len(series), x_min, x_max)


def _axis(series: Series, axis: Axis, origin: int) -> tuple[Floats, Floats]:
    if axis == "step":
        return series.steps.astype(np.float64), series.values
    ordered = series.by_time()
    times = ordered.timestamps.astype(np.float64)
    return times - (origin if axis == "relative" else 0), ordered.values


def _table(x: Floats, values: Floats, smooth: Floats, low: float, high: float, count: int) -> Floats:
    if not len(x):
        return np.empty((len(COLUMNS), 0))
    starts = _starts(x, low, high, count)
    ends = np.append(starts[1:], len(x))
    finite = np.isfinite(values)
    numbers = np.add.reduceat(finite, starts, dtype=np.int64)
    bare = numbers == 0
    # Indices of the first and last finite point of each bucket, by counting finite points up to its borders.
    places = np.flatnonzero(finite)
    before = np.concatenate(([0], np.cumsum(numbers)[:-1]))
    last_place = np.minimum(before + numbers - 1, len(places) - 1)
    first_place = np.minimum(before, max(len(places) - 1, 0))
    least = np.minimum.reduceat(np.where(finite, values, np.inf), starts)
    greatest = np.maximum.reduceat(np.where(finite, values, -np.inf), starts)
    # Sums of values near the greatest double overflow; halves of the mean do not.
    with np.errstate(over="ignore", invalid="ignore"):
        shares = np.where(finite, values, 0.0) / np.repeat(np.maximum(numbers, 1), ends - starts)
        mean = np.clip(np.add.reduceat(shares, starts), least, greatest)
    columns = [
        x[starts],
        x[ends - 1],
        numbers.astype(np.float64),
        least,
        greatest,
        values[places[first_place]] if len(places) else np.full(len(starts), np.nan),
        values[places[last_place]] if len(places) else np.full(len(starts), np.nan),
        mean,
        smooth[places[last_place]] if len(places) else np.full(len(starts), np.nan),
        _counts(np.isnan(values), starts),
        _counts(values == np.inf, starts),
        _counts(values == -np.inf, starts),
    ]
    for index in range(3, 9):
        columns[index] = np.where(bare, np.nan, columns[index])
    return np.stack(columns)


def _starts(x: Floats, low: float, high: float, count: int) -> NDArray[np.intp]:
    """Where each non-empty bucket begins. Where there are no more points than buckets, each has its own."""
    if len(x) <= count:
        return np.arange(len(x))
    with np.errstate(over="ignore"):
        width = high / count - low / count
    if not width > 0:
        return np.zeros(1, np.intp)
    number = np.minimum((x / width - low / width).astype(np.int64), count - 1)
    return np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))


def _counts(mask: NDArray[np.bool_], starts: NDArray[np.intp]) -> Floats:
    counted: Any = np.add.reduceat(mask, starts, dtype=np.int64)
    result: Floats = counted.astype(np.float64)
    return result


def _moving_average(values: Floats, weight: float) -> Floats:
    """The bias-corrected exponential moving average of the finite values; other places keep their value.

    Computed in stretches short enough that the powers of the weight stay far from underflow:
    y[k] = w^k y[0] + (1-w) w^k sum(x[i] / w^i).
    """
    if weight <= 0 or not len(values):
        return values
    finite = np.isfinite(values)
    x = values[finite]
    smooth = np.empty_like(x)
    stretch = max(1, min(len(x), int(-100 / np.log10(weight)) if weight < 1 else len(x), 65_536))
    powers = weight ** np.arange(1, stretch + 1)
    carried = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(x), stretch):
            part = x[start : start + stretch]
            decay = powers[: len(part)]
            smooth[start : start + len(part)] = decay * (carried + (1 - weight) * np.cumsum(part / decay))
            carried = float(smooth[start + len(part) - 1])
        count = np.arange(1, len(x) + 1)
        smooth /= -np.expm1(count * np.log(weight))
    result = values.copy()
    result[finite] = smooth
    return result
