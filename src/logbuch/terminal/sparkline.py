"""Curves as a line of text."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int, *, stretched: bool = False) -> str:
    """A curve in at most ``width`` characters, from the least value (▁) to the greatest (█); what is no finite number
    is a gap. A curve that never moves is a line in the middle.

    ``stretched`` draws two values and more over the whole width.
    """
    if stretched and 1 < len(values) < width:
        values = [values[place * len(values) // width] for place in range(width)]
    shown = [_finite(value) for value in _fitted(values, width)]
    known = [value for value in shown if value is not None]
    if not known:
        return " " * len(shown)
    low, high = min(known), max(known)
    return "".join(" " if value is None else _bar(value, low, high) for value in shown)


def _bar(value: float, low: float, high: float) -> str:
    # Halves, so that the span of two numbers near the largest stays finite.
    span = high / 2 - low / 2
    if span == 0:
        return _BARS[3]
    return _BARS[min(len(_BARS) - 1, int((value / 2 - low / 2) / span * len(_BARS)))]


def _fitted(values: Sequence[float | None], width: int) -> Sequence[float | None]:
    """So many values, each the last finite one of its part of the curve."""
    if width <= 0:
        return ()
    if len(values) <= width:
        return values
    edges = [number * len(values) // width for number in range(width + 1)]
    return [_last(values[start:end]) for start, end in itertools.pairwise(edges)]


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if _finite(value) is not None), None)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
