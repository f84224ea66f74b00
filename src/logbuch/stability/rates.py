"""Learning rate, throughput and the use of GPUs: quantities that should stay where they are."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from logbuch.stability.curve import Curve, Floats
from logbuch.stability.findings import Finding, Kind
from logbuch.stability.robust import level, medians, trend

LEAST_BUCKETS = 20
JUMP_SHARE, JUMP_STEPS, WARM = 0.2, 8, 5
"""A jump of the learning rate: up by a share of its greatest value and so many usual changes, after the first few."""
SLOW, SLOW_SHARE, SLOW_LEAST = 0.7, 0.03, 10
"""A drop of throughput: below a share of what was usual, for a share of the run and at least so many buckets."""
IDLE_PERCENT, IDLE_MS = 20.0, 15 * 60_000
"""An idle GPU: below this for as long (ms)."""


def learning_rate(metric: str, curve: Curve) -> list[Finding]:
    """Whether the learning rate jumped up while the run went on, as after a resume that forgot its schedule."""
    if len(curve) < LEAST_BUCKETS:
        return []
    changes = np.diff(curve.mean)
    usual = level(np.abs(changes))
    jumps = (changes > JUMP_SHARE * float(np.max(curve.mean))) & (changes > JUMP_STEPS * usual)
    places = np.flatnonzero(jumps[WARM:]) + WARM + 1
    if not len(places):
        return []
    first = int(places[0])
    return [
        Finding(
            kind=Kind.LEARNING_RATE,
            metric=metric,
            start=float(curve.x[first]),
            value=float(curve.mean[first]),
            usual=float(curve.mean[first - 1]),
            count=len(places),
        )
    ]


def throughput(metric: str, curve: Curve) -> list[Finding]:
    """Whether the training became slower for good or for a while; single pauses, as for an evaluation, do not count."""
    count = len(curve)
    if count < LEAST_BUCKETS:
        return []
    least = max(SLOW_LEAST, int(count * SLOW_SHARE))
    smooth = trend(curve.mean, max(3, least // 2))
    before = np.maximum.accumulate(_middle(smooth, least))
    return _longest(Kind.THROUGHPUT, metric, curve, smooth < SLOW * before, before, least)


def idle_gpu(metric: str, curve: Curve) -> list[Finding]:
    """Whether a GPU stood idle. The curve's ``x`` is time in ms, its values percent."""
    if len(curve) < LEAST_BUCKETS:
        return []
    smooth = trend(curve.mean, 3)
    found = _longest(Kind.IDLE_GPU, metric, curve, smooth < IDLE_PERCENT, np.full(len(curve), np.nan), 2)
    return [finding for finding in found if (finding.end or float(curve.x[-1])) - finding.start >= IDLE_MS]


def _middle(values: Floats, width: int) -> Floats:
    """What was usual up to each place: the median of the last ``width`` values; of the first ones, of these."""
    windows = sliding_window_view(values, width)
    found = medians(windows)
    return np.concatenate((np.full(width - 1, found[0]), found))


def _longest(
    kind: Kind, metric: str, curve: Curve, low: NDArray[np.bool_], before: Floats, least: int
) -> list[Finding]:
    """The longest stretch of buckets that are low, if it has ``least`` at least."""
    edges = np.diff(np.concatenate(([0], low.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(starts):
        return []
    longest = int(np.argmax(ends - starts))
    first, last = int(starts[longest]), int(ends[longest])
    if last - first < least:
        return []
    end = float(curve.x[last]) if last < len(curve) else None
    usual = None if np.isnan(before[first]) else float(before[first])
    value = level(curve.mean[first:last])
    return [Finding(kind=kind, metric=metric, start=float(curve.x[first]), end=end, value=value, usual=usual)]
