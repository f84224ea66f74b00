"""Sudden rises that stand out of the noise around them: of a loss, or of a gradient norm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logbuch.stability.curve import Curve, Floats
from logbuch.stability.findings import Finding, Kind
from logbuch.stability.robust import spread, trend

LEAST_BUCKETS = 20
"""Of fewer nothing is said: the noise around a value is not known."""
REACH_SHARE = 0.025
"""The trend looks so far to either side, as a share of the curve: what is narrower stands out of it."""
LEAST_REACH, NOISE_REACH = 6, 4
"""In buckets; and how many times farther the noise is looked at."""
TAIL = (0.8, 0.9)
"""Where the tail of the noise is measured: spikes are too few to move these shares of it."""
FIRST = 10
"""Of the first buckets nothing is said: there is no trend yet."""
STILL = 0.002
"""A curve is never taken to be stiller than this share of its level: rounding is no event."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What counts as a spike.

    ``deviations`` robust ones above the trend, and more than ``rise`` as a share of it; where the curve's own noise has
    long tails, also ``beyond`` times as high as noise of such a tail is expected to come in so long a curve.
    """

    kind: Kind
    deviations: float
    rise: float
    beyond: float = 2.0


LOSS = Bounds(Kind.SPIKE, 8, 0.25)
GRADIENT = Bounds(Kind.GRADIENT, 10, 4.0)


def find(metric: str, curve: Curve, bounds: Bounds = LOSS) -> list[Finding]:
    """All spikes, as one finding: the highest, where the first began, and how many there were; none where none was."""
    if len(curve) < LEAST_BUCKETS:
        return []
    usual, above = _standing_out(curve, bounds)
    spikes = list(_stretches(above))
    if not spikes:
        return []
    peaks = [first + int(np.argmax(curve.high[first:last])) for first, last in spikes]
    highest = max(peaks, key=lambda place: float(curve.high[place] - usual[place]))
    first, last = spikes[peaks.index(highest)]
    end = float(curve.x[last]) if last < len(curve) else None
    return [
        Finding(
            kind=bounds.kind,
            metric=metric,
            start=float(curve.x[first]),
            end=end,
            value=float(curve.high[highest]),
            usual=float(usual[highest]),
            count=len(spikes),
        )
    ]


def _standing_out(curve: Curve, bounds: Bounds) -> tuple[Floats, NDArray[np.bool_]]:
    """The trend of the curve's upper edge, and for each bucket whether it stands out of that."""
    reach = max(LEAST_REACH, int(len(curve) * REACH_SHARE))
    usual = trend(curve.high, reach)
    rest = curve.high - usual
    noise = np.maximum(spread(rest, reach * NOISE_REACH), STILL * np.abs(usual))
    with np.errstate(divide="ignore", invalid="ignore"):
        outside = np.nan_to_num(rest / noise, nan=0.0, posinf=np.inf)
    needed = max(bounds.deviations, bounds.beyond * _expected(outside))
    above = (outside > needed) & (rest > bounds.rise * np.abs(usual))
    above[:FIRST] = False
    return usual, above


def _expected(outside: Floats) -> float:
    """The greatest of so many values, if their tail falls exponentially as it does between two of its quantiles."""
    near, far = np.quantile(outside, TAIL)
    scale = (far - near) / math.log((1 - TAIL[0]) / (1 - TAIL[1]))
    return float(far + scale * math.log(max((1 - TAIL[1]) * len(outside), 1)))


def _stretches(above: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where each run of buckets above the bound begins and ends. A gap of a bucket or two ends none."""
    places = np.flatnonzero(above)
    if not len(places):
        return
    cuts = np.flatnonzero(np.diff(places) > 3) + 1
    for part in np.split(places, cuts):
        yield int(part[0]), int(part[-1]) + 1
