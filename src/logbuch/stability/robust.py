"""Robust statistics: medians, which no single value can move."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

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
    found[reach : count - reach] = medians(sliding_window_view(values, 2 * reach + 1))
    found[1:reach] = _shrinking(values, reach)
    found[count - reach : count - 1] = _shrinking(values[::-1], reach)[::-1]
    return found


def _shrinking(values: Floats, reach: int) -> Floats:
    """The medians of the first 3, 5, … values, up to ``2 * reach - 1``.

    They are rows of one table. What a row lacks is filled up by as many infinities of either sign, which leave its
    median where it is.
    """
    width = 2 * reach - 1
    known = np.arange(3, width + 1, 2)[:, None]
    place = np.arange(width)
    filling = np.where((place - known) % 2 == 0, np.inf, -np.inf)
    return medians(np.where(place < known, values[:width], filling))


def spread(residuals: Floats, reach: int) -> Floats:
    """The local deviation: the scaled median of absolute residuals within ``reach``; a window ends with the curve.

    It is measured at every eighth of the reach: neighbouring windows hold nearly the same values.
    """
    size = np.abs(residuals)
    count, width = len(size), min(2 * reach + 1, len(size))
    if width < 1:
        return size
    apart = max(1, reach // 8)
    measured = medians(sliding_window_view(size, width)[::apart])
    places = np.clip(np.arange(count) - width // 2, 0, count - width) + apart // 2
    found: Floats = DEVIATION * measured[np.minimum(places // apart, len(measured) - 1)]
    return found


def medians(rows: NDArray[np.float64]) -> Floats:
    """The median of each row. NumPy's own takes several times as long for short rows."""
    width = rows.shape[1]
    half = width // 2
    if width % 2:
        return np.partition(rows, half, axis=1)[:, half]
    parted = np.partition(rows, (half - 1, half), axis=1)
    middle: Floats = (parted[:, half - 1] + parted[:, half]) / 2
    return middle


def level(values: Floats) -> float:
    """The median; NaN of nothing, and where a value is."""
    if not len(values) or np.isnan(values).any():
        return float("nan")
    return float(medians(values[None])[0])
