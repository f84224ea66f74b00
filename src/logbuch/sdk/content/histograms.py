"""Histograms of whatever holds numbers: lists, arrays of numpy, tensors of torch, without importing either."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from logbuch import limits
from logbuch.errors import InvalidInput

BINS = 64


class Histogram(NamedTuple):
    """``counts[i]`` values lie from ``edges[i]`` to below ``edges[i + 1]``; the last edge belongs to the last bin.

    ``nan`` and ``infinite`` values are in no bin.
    """

    edges: list[float]
    counts: list[float]
    nan: int = 0
    infinite: int = 0


def of(given: Any, bins: int = BINS) -> Histogram:
    """A histogram of values in ``bins`` bins of equal width.

    A tuple of counts and edges, as numpy.histogram returns it, is taken as it is.
    """
    if not 1 <= bins <= limits.HISTOGRAM_BINS:
        raise InvalidInput(f"A histogram has 1 to {limits.HISTOGRAM_BINS} bins, not {bins!r}.")
    if isinstance(given, tuple) and len(given) == 2 and _is_counted(given):
        return _checked(_numbers(given[1]), _numbers(given[0]))
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and (hasattr(given, "__array__") or hasattr(given, "detach")):
        return _of_array(numpy, given, bins)
    return _of_numbers(_numbers(given), bins)


def _is_counted(given: tuple[Any, Any]) -> bool:
    """Whether a pair is one of counts and edges, and not of two values."""
    return all(hasattr(part, "__len__") for part in given) and len(given[1]) == len(given[0]) + 1


def _checked(edges: list[float], counts: list[float]) -> Histogram:
    if not counts or len(counts) > limits.HISTOGRAM_BINS:
        raise InvalidInput(f"A histogram has 1 to {limits.HISTOGRAM_BINS} bins, not {len(counts)}.")
    if not all(math.isfinite(edge) for edge in edges) or any(b < a for a, b in pairwise(edges)):
        raise InvalidInput("The edges of a histogram must be finite and ascend.")
    if not all(math.isfinite(count) and count >= 0 for count in counts):
        raise InvalidInput("The counts of a histogram must be finite and not less than 0.")
    return Histogram(edges, counts)


def _of_array(numpy: Any, given: Any, bins: int) -> Histogram:
    if hasattr(given, "detach"):  # a tensor, wherever it is; numpy knows no bfloat16
        given = given.detach()
        given = (given.float() if hasattr(given, "is_floating_point") and given.is_floating_point() else given).cpu()
    try:
        whole = numpy.asarray(given, dtype=numpy.float64).ravel()
    except (TypeError, ValueError):
        raise InvalidInput(f"A histogram needs numbers, not a {type(given).__name__} of {given.dtype}.") from None
    values = whole[numpy.isfinite(whole)]
    nan = int(numpy.isnan(whole).sum())
    low, high = _range(float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    counts, edges = numpy.histogram(values, bins, (low, high))
    return Histogram(edges.tolist(), counts.astype(numpy.float64).tolist(), nan, len(whole) - int(counts.sum()) - nan)


def _of_numbers(values: list[float], bins: int) -> Histogram:
    finite = [value for value in values if math.isfinite(value)]
    nan = sum(1 for value in values if math.isnan(value))
    low, high = _range(min(finite), max(finite)) if finite else (0.0, 1.0)
    edges = [low + (high - low) * number / bins for number in range(bins)] + [high]
    counts = [0.0] * bins
    for value in finite:
        if not low <= value <= high:
            continue
        at = min(bins - 1, int((value - low) / (high - low) * bins))
        if value < edges[at]:  # rounding
            at -= 1
        elif at + 1 < bins and value >= edges[at + 1]:
            at += 1
        counts[at] += 1
    return Histogram(edges, counts, nan, len(values) - int(sum(counts)) - nan)


def _range(low: float, high: float) -> tuple[float, float]:
    """What the bins cover; around a single value a little on both sides."""
    if high - low > 0 and math.isfinite(high - low):
        return low, high
    if high > low:  # wider than a number can say: what is far out counts as infinite
        return low / 4, high / 4
    half = max(0.5, abs(low) * 1e-6)
    return low - half, high + half


def _numbers(given: Any) -> list[float]:
    if hasattr(given, "detach"):
        given = given.detach()
    if hasattr(given, "tolist"):
        given = given.tolist()
    try:
        return list(_flat(given))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"A histogram needs numbers, not {limits.clip(repr(given))}.") from None


def _flat(given: Any) -> Iterable[float]:
    if isinstance(given, (str, bytes)):
        raise TypeError
    if isinstance(given, (int, float)) or not isinstance(given, Iterable):
        yield float(given)
        return
    for item in given:
        if isinstance(item, Sequence) and not isinstance(item, (str, bytes)):
            yield from _flat(item)
        elif isinstance(item, (str, bytes)):
            raise TypeError
        else:
            yield float(item)
