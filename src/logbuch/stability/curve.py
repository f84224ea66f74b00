"""A curve as the checks read it: buckets of a series, of which each may hold one point or a million."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """The buckets of one series that hold finite values, in order, and where values were not finite.

    Parallel float64 arrays: ``x`` is the first place (a step, or ms of time) of a bucket, ``low``, ``high`` and
    ``mean`` are those of its finite values. ``points`` counts the finite values of all buckets.
    """

    x: Floats
    low: Floats
    high: Floats
    mean: Floats
    points: int
    broken: Broken | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> Curve:
        return Curve(self.x[part], self.low[part], self.high[part], self.mean[part], self.points, self.broken)

    @classmethod
    def of_points(cls, x: Floats, values: Floats) -> Curve:
        """Each point a bucket of its own; ``x`` ascends."""
        finite = np.isfinite(values)
        own = values[finite]
        return cls(x[finite], own, own, own, len(own), _broken(x, np.isnan(values), np.isinf(values)))

    @classmethod
    def of_buckets(cls, table: Mapping[str, Floats]) -> Curve:
        """From the columns of a bucket table (:mod:`logbuch.store.metrics.buckets`)."""
        filled = table["count"] > 0
        x, low, high, mean = (table[name][filled] for name in ("x", "min", "max", "mean"))
        infinite = table["pos_inf"] + table["neg_inf"]
        return cls(x, low, high, mean, int(table["count"].sum()), _broken(table["x"], table["nan"], infinite))

    @classmethod
    def of_broken(cls, x: Floats, nan: Floats, infinite: Floats) -> Curve:
        """Of a series only where it was not finite: parallel columns of its rows, in order."""
        nothing = np.empty(0)
        return cls(nothing, nothing, nothing, nothing, 0, _broken(x, nan, infinite))


@dataclass(frozen=True, slots=True)
class Broken:
    """Values that were no numbers: where the first stood (the beginning of its bucket), and how many there were."""

    x: float
    nan: int
    infinite: int


def _broken(x: Floats, nan: NDArray[np.generic], infinite: NDArray[np.generic]) -> Broken | None:
    places = np.flatnonzero((nan > 0) | (infinite > 0))  # type: ignore[operator]
    if not len(places):
        return None
    return Broken(float(x[places[0]]), int(nan.sum()), int(infinite.sum()))
