"""Rows of a chart: points, or stretches of points of which only a summary is known, in one form.

A summary stands for :data:`STRETCH` neighbouring points of a series. It is kept beside each long block, so that a chart
of ten million points reads 78,000 rows and no point.

Kept form, little endian: a byte for the version, a byte that is 1 where the block's timestamps ascend, six bytes of
nothing, then the records of :data:`RECORD`, in the order of steps.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics.points import Series

STRETCH = 128
"""Points of one summary: 0.7 bytes a point, and buckets of three summaries still follow the pixels."""
LEAST = 8 * STRETCH
"""A block with fewer points has no summary: reading its points costs as little."""

Axis = Literal["step", "time", "relative"]
Floats = NDArray[np.float64]
Starts = NDArray[np.intp]

RECORD = np.dtype(
    [
        ("first_step", "<i8"),
        ("last_step", "<i8"),
        ("first_time", "<i8"),
        ("last_time", "<i8"),
        ("min", "<f8"),
        ("max", "<f8"),
        ("first", "<f8"),
        ("last", "<f8"),
        ("mean", "<f8"),
        ("count", "<u4"),
        ("nan", "<u4"),
        ("pos_inf", "<u4"),
        ("neg_inf", "<u4"),
    ]
)
"""``count`` is that of the finite points; the five values are theirs, and NaN where there is none."""
_HEAD = np.dtype([("version", "u1"), ("ascending", "u1"), ("_", "V6")])
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Parallel columns, float64, in the order of x: what :data:`RECORD` says of each row, and where it lies."""

    x: Floats
    x_last: Floats
    count: Floats
    min: Floats
    max: Floats
    first: Floats
    last: Floats
    mean: Floats
    nan: Floats
    pos_inf: Floats
    neg_inf: Floats

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: slice) -> Rows:
        return Rows(*(getattr(self, field.name)[index] for field in fields(self)))

    @property
    def points(self) -> int:
        """How many points the rows stand for."""
        return int(self.all_points.sum())

    @property
    def odd(self) -> Floats:
        """How many points of each row are no finite numbers."""
        return self.nan + self.pos_inf + self.neg_inf

    @property
    def all_points(self) -> Floats:
        """How many points each row stands for."""
        return self.count + self.odd

    def of_stretches(self) -> Rows:
        """The same with rows of single points taken together, :data:`STRETCH` of them to a row, as summaries are."""
        number = (np.cumsum(self.all_points) - 1) // STRETCH
        return merge(self, np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1]))))

    @classmethod
    def concat(cls, parts: list[Rows]) -> Rows:
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    @classmethod
    def of_points(cls, series: Series, axis: Axis, origin: int = 0) -> Rows:
        """A row a point. By time, points are sorted by it."""
        ordered = series if axis == "step" else series.by_time()
        x = _axis(ordered.steps if axis == "step" else ordered.timestamps, axis, origin)
        values = ordered.values
        finite = np.isfinite(values)
        if finite.all():
            none = np.zeros(len(values))
            return cls(x, x, np.ones(len(values)), values, values, values, values, values, none, none, none)
        known = np.where(finite, values, np.nan)
        odd = (np.isnan(values), values == np.inf, values == -np.inf)
        counts = [mask.astype(np.float64) for mask in (finite, *odd)]
        return cls(x, x, counts[0], known, known, known, known, known, *counts[1:])

    @classmethod
    def of_summary(cls, records: NDArray[Any], axis: Axis, origin: int = 0) -> Rows:
        """A row a summary, of blocks whose timestamps ascend or whose axis is the step."""
        names = ("first_step", "last_step") if axis == "step" else ("first_time", "last_time")
        where = [_axis(records[name], axis, origin) for name in names]
        return cls(*where, *(records[field.name].astype(np.float64) for field in fields(cls)[2:]))


def summarize(series: Series) -> bytes | None:
    """The kept form of a block's summary; None for a block that is too short for one. The points are in order."""
    if len(series) < LEAST:
        return None
    starts = np.arange(0, len(series), STRETCH)
    ends = np.minimum(starts + STRETCH, len(series)) - 1
    records = np.zeros(len(starts), RECORD)
    records["first_step"], records["last_step"] = series.steps[starts], series.steps[ends]
    records["first_time"], records["last_time"] = series.timestamps[starts], series.timestamps[ends]
    if np.isfinite(series.values).all():
        _fill(records, series.values, starts, ends)
    else:
        merged = merge(Rows.of_points(series, "step"), starts)
        for field in fields(Rows)[2:]:
            records[field.name] = getattr(merged, field.name)
    head = np.zeros(1, _HEAD)
    head["version"] = _VERSION
    head["ascending"] = (series.timestamps[1:] >= series.timestamps[:-1]).all()
    return head.tobytes() + records.tobytes()


def _fill(records: NDArray[Any], values: Floats, starts: Starts, ends: Starts) -> None:
    """What :func:`merge` would say of finite points, which nearly all series have, in a fifth of the time."""
    sizes = ends + 1 - starts
    least, greatest = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    with np.errstate(over="ignore"):
        mean = np.add.reduceat(values * np.repeat(1.0 / sizes, sizes), starts)
    columns = (sizes, least, greatest, values[starts], values[ends], np.clip(mean, least, greatest))
    for name, column in zip(("count", "min", "max", "first", "last", "mean"), columns, strict=True):
        records[name] = column


def unpack(data: bytes) -> tuple[bool, NDArray[Any]] | None:
    """Whether a block's timestamps ascend, and its summary's records; None for an unknown version."""
    head = np.frombuffer(data, _HEAD, 1)[0]
    if head["version"] != _VERSION:
        return None
    return bool(head["ascending"]), np.frombuffer(data, RECORD, offset=_HEAD.itemsize)


def merge(rows: Rows, starts: Starts) -> Rows:
    """Neighbouring rows as one, from each start to the next; exact but for rounding in the mean."""
    if not len(rows):
        return rows
    ends = np.append(starts[1:], len(rows))
    count = np.add.reduceat(rows.count, starts)
    bare = count == 0
    filled = rows.count > 0
    # Places of the first and last row with finite points, by counting such rows up to the borders.
    places = np.flatnonzero(filled)
    filled_rows = np.add.reduceat(filled, starts, dtype=np.int64)
    before = np.concatenate(([0], np.cumsum(filled_rows)[:-1]))
    first_place = places[np.minimum(before, len(places) - 1)] if len(places) else starts
    last_place = places[np.clip(before + filled_rows - 1, 0, len(places) - 1)] if len(places) else starts
    least = np.minimum.reduceat(np.where(filled, rows.min, np.inf), starts)
    greatest = np.maximum.reduceat(np.where(filled, rows.max, -np.inf), starts)
    # Sums of values near the greatest double overflow; shares of the mean do not.
    with np.errstate(over="ignore", invalid="ignore"):
        weights = rows.count / np.repeat(np.maximum(count, 1), ends - starts)
        mean = np.clip(np.add.reduceat(np.where(filled, rows.mean * weights, 0.0), starts), least, greatest)
    columns = (least, greatest, rows.first[first_place], rows.last[last_place], mean)
    known = [np.where(bare, np.nan, column) for column in columns]
    odd = [np.add.reduceat(column, starts) for column in (rows.nan, rows.pos_inf, rows.neg_inf)]
    return Rows(rows.x[starts], rows.x_last[ends - 1], count, *known, *odd)


def _axis(column: NDArray[np.int64], axis: Axis, origin: int) -> Floats:
    x = column.astype(np.float64)
    return x - origin if axis == "relative" else x
