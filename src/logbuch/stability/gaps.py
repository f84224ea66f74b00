"""Overfitting: the evaluation loss rises again while the training loss goes on falling."""

from __future__ import annotations

import numpy as np

from logbuch.stability.curve import Curve, Floats
from logbuch.stability.findings import Finding, Kind
from logbuch.stability.robust import DEVIATION, level, trend

LEAST_BUCKETS = 6
BEST_BEFORE = 0.7
"""The best evaluation lies within this share of the run,"""
RISE = 0.05
"""and the last ones lie so much above it, as a share of it,"""
NOISES = 4
"""and so many deviations of the evaluation's own noise."""


def find(metric: str, evaluation: Curve, training: Curve | None) -> list[Finding]:
    """Whether the gap between an evaluation loss and a training loss opens; without the latter, by the former."""
    count = len(evaluation)
    if count < LEAST_BUCKETS:
        return []
    reach = min(count // 10, 25)
    smooth = trend(evaluation.mean, reach)
    best_place = int(np.argmin(smooth))
    best, end = float(smooth[best_place]), level(evaluation.mean[-max(2, min(count // 5, 2 * reach + 1)) :])
    span = float(evaluation.x[-1] - evaluation.x[0])
    rise = end - best
    if evaluation.x[best_place] - evaluation.x[0] > BEST_BEFORE * span or rise <= RISE * abs(best):
        return []
    if rise <= NOISES * _noise(evaluation.mean, smooth) or not _opens(rise, evaluation.x[best_place], training):
        return []
    start = float(evaluation.x[best_place])
    return [Finding(kind=Kind.GAP, metric=metric, start=start, value=end, usual=best)]


def _noise(values: Floats, smooth: Floats) -> float:
    """The deviation of single evaluations. Of few, neighbours tell it better than a trend that follows them."""
    if len(values) < 20:
        bends = values[:-2] - 2 * values[1:-1] + values[2:]
        return DEVIATION * level(np.abs(bends)) / 6**0.5
    return DEVIATION * level(np.abs(values - smooth))


def _opens(rise: float, since: float, training: Curve | None) -> bool:
    """A training loss that rises as much has diverged with the evaluation, which is something else."""
    if training is None or len(training) < LEAST_BUCKETS:
        return True
    after = training.mean[training.x >= since]
    if len(after) < 4:
        return True
    width = max(2, len(after) // 10)
    return level(after[-width:]) - level(after[:width]) < rise / 2
