"""The exponential moving average of a chart's line."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_RANGE = 20.0
"""Decimal digits over which a stretch's weights may fall: far from underflow, and wide enough to be few."""


def moving_average(values: Floats, counts: Floats, weight: float) -> Floats:
    """The bias-corrected exponential moving average, with ``weight`` (0 to below 1) for what was before.

    ``values`` are finite; each counts as ``counts`` equal points in a row, so that a summary weighs as much as the
    points it stands for. With single points this is the usual y[k] = w y[k-1] + (1-w) x[k], divided by 1 - w^k (Kingma
    and Ba, 2015, section 3). Closed form of a stretch: y[k] = w^N[k] (y[0] + sum((1 - w^n[i]) x[i] / w^N[i])), with
    n the counts and N their sum.
    """
    if weight <= 0 or not len(values):
        return values
    digits = -math.log10(weight)
    # So many points after it, a point weighs nothing any more.
    known = np.minimum(counts, math.ceil(_RANGE / digits))
    length = max(1, int(_RANGE / (digits * float(known.max()))))
    stretches = -(-len(values) // length)
    shape = (stretches, length)
    x = np.zeros(stretches * length)
    n = np.zeros(stretches * length)
    x[: len(values)], n[: len(values)] = values, known
    with np.errstate(over="ignore", invalid="ignore"):
        decay = weight ** np.cumsum(n.reshape(shape), axis=1)
        own = decay * np.cumsum((-np.expm1(n * math.log(weight)) * x).reshape(shape) / decay, axis=1)
        smooth = (own + decay * _carried(own[:, -1], decay[:, -1])[:, None]).ravel()[: len(values)]
        smooth /= -np.expm1(np.cumsum(counts) * math.log(weight))
    return np.where(np.isfinite(smooth), smooth, values)


def _carried(own: Floats, decay: Floats) -> Floats:
    """What each stretch starts from: the average at the end of the stretch before."""
    carried, found = 0.0, []
    for last, left in zip(own.tolist(), decay.tolist(), strict=True):
        found.append(carried)
        carried = last + left * carried
    return np.array(found)
