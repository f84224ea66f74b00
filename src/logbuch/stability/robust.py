"""Robust statistics: medians, which no single value can move."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from logbuch.stability.curve import Floats

DEVIATION = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation: 1 / Φ⁻¹(3/4)."""


def trend(values: Floats, reach: int) -> Floats:
    """The median of each value and its ``reach`` neighbours on either side.

    Near an end the window shrinks on both sides. A symmetric window over a monotonic curve has its middle value as the
    median, so that a steep beginning is followed exactly, and edges stay sharp.
    """
    count = len(values)
    reach = min(reach, (count - 1) // 2)
    found = values.copy()
    if reach < 1:
        return found
    found[reach : count - reach] = np.median(sliding_window_view(values, 2 * reach + 1), axis=1)
    for place in range(1, reach):
        found[place] = np.median(values[: 2 * place + 1])
        found[count - 1 - place] = np.median(values[count - 1 - 2 * place :])
    return found


def spread(residuals: Floats, reach: int) -> Floats:
    """The local deviation: the scaled median of absolute residuals within ``reach``; a window ends with the curve."""
    size = np.abs(residuals)
    count, width = len(size), min(2 * reach + 1, len(size))
    if width < 1:
        return size
    medians = np.median(sliding_window_view(size, width), axis=1)
    places = np.clip(np.arange(count) - width // 2, 0, len(medians) - 1)
    found: Floats = DEVIATION * medians[places]
    return found


def level(values: Floats) -> float:
    """The median; NaN of nothing."""
    return float(np.median(values)) if len(values) else float("nan")
