"""How a loss goes on the whole: whether it came to numbers at all, diverged, or stopped falling."""

from __future__ import annotations

import math

import numpy as np

from logbuch.stability.curve import Curve, Floats
from logbuch.stability.findings import Finding, Kind
from logbuch.stability.robust import DEVIATION, level, trend

LEAST_BUCKETS = 50
"""Shorter curves are not judged as a whole."""
END_SHARE = 0.05
"""The end of a curve is the median of so large a share of it."""
DIVERGED_RATIO, DIVERGED_SHARE = 1.5, 0.1
"""The end lies above so many times the best, and a share of the whole fall was lost again; or"""
LOST_SHARE, LOST_LEAST = 0.5, 0.08
"""so much of the fall was lost, and so large a share of the best level, whatever the ratio; or"""
CREPT_SHARE, CREPT_LEAST = 0.15, 0.1
"""so large a share of the best level, and of the fall, was lost and the loss never came back within so large a share of
the best in the last third of the run."""
NOISES = 6
"""All only where the rise is so many times the uncertainty of an end's level."""
FLAT_SHARE, FLAT_LEVEL = 0.035, 0.04
"""A second half in which the loss falls by less than this share of its fall before, and of its level, is flat."""
NEVER_SHARE = 0.01
"""A loss whose last third lies less than this share below the first has never fallen,"""
CERTAIN = 2.0
"""or no more than so many standard errors."""


def not_finite(metric: str, curve: Curve) -> list[Finding]:
    """NaN and infinities: where the first stood, and how many there were."""
    if curve.broken is None:
        return []
    count = curve.broken.nan + curve.broken.infinite
    return [Finding(kind=Kind.NOT_FINITE, metric=metric, start=curve.broken.x, count=count)]


def diverged(metric: str, curve: Curve) -> list[Finding]:
    """Whether a loss ends far above its best, and since when it has risen."""
    if len(curve) < LEAST_BUCKETS:
        return []
    width = max(5, int(len(curve) * END_SHARE))
    smooth = trend(curve.mean, width // 2)
    best_place = width // 2 + int(np.argmin(smooth[width // 2 :]))
    best, end, first = float(smooth[best_place]), level(curve.mean[-width:]), level(curve.mean[:width])
    fall, rise = max(first - best, 0.0), end - best
    if rise <= NOISES * _uncertainty(curve.mean - smooth, width):
        return []
    by_ratio = best > 0 and end > DIVERGED_RATIO * best and rise > DIVERGED_SHARE * fall
    by_loss = rise > LOST_SHARE * fall and rise > LOST_LEAST * abs(best)
    stayed = float(np.min(smooth[-(len(curve) // 3) :])) - best > CREPT_LEAST * abs(best)
    crept = stayed and rise > CREPT_SHARE * max(fall, abs(best))
    if not (by_ratio or by_loss or crept):
        return []
    left = np.flatnonzero(smooth[best_place:] > best + 0.1 * rise)
    start = best_place + (int(left[0]) if len(left) else 0)
    return [Finding(kind=Kind.DIVERGED, metric=metric, start=float(curve.x[start]), value=end, usual=best)]


def plateau(metric: str, curve: Curve) -> list[Finding]:
    """Whether a loss has never fallen, or no more in the whole second half of the run."""
    if len(curve) < LEAST_BUCKETS:
        return []
    if _never_fell(curve.mean):
        return [Finding(kind=Kind.PLATEAU, metric=metric, start=float(curve.x[0]), value=level(curve.mean))]
    half, quarter = len(curve) // 2, len(curve) // 4
    before, after = curve.mean[half : half + quarter], curve.mean[half + quarter :]
    fallen = level(curve.mean[: max(5, len(curve) // 50)]) - float(np.mean(before))
    fall = float(np.mean(before) - np.mean(after))
    most = fall + CERTAIN * math.hypot(_error(before), _error(after))
    if most > FLAT_SHARE * fallen or most > FLAT_LEVEL * abs(float(np.mean(before))):
        return []
    return [Finding(kind=Kind.PLATEAU, metric=metric, start=_since(curve, after), value=level(after))]


def _never_fell(values: Floats) -> bool:
    third = len(values) // 3
    first, last = values[:third], values[-third:]
    fall = float(np.mean(first) - np.mean(last))
    error = math.hypot(_error(first), _error(last))
    return abs(fall) < max(NEVER_SHARE * abs(level(values)), CERTAIN * error)


def _since(curve: Curve, after: Floats) -> float:
    """From where on the curve has stood at the level of its end."""
    smooth = trend(curve.mean, max(2, len(curve) // 40))
    reached = level(after) + 2 * float(np.std(after))
    above = np.flatnonzero(smooth[: len(curve) // 2] > reached)
    return float(curve.x[int(above[-1]) + 1]) if len(above) else float(curve.x[0])


def _error(values: Floats) -> float:
    """The standard error of a mean, by the differences of neighbours: a slope is no noise."""
    steps = np.diff(values)
    return float(np.std(steps)) / math.sqrt(2 * len(values)) if len(steps) else 0.0


def _uncertainty(rest: Floats, width: int) -> float:
    """How far the median of so many values of this noise may be off."""
    return DEVIATION * level(np.abs(rest)) * 1.2533 / math.sqrt(width)
