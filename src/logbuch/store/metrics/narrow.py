"""Columns of whole numbers as unsigned distances from the least of them, of as few bytes as hold them all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_UNSIGNED = {0: "<i8", 1: "u1", 2: "<u2", 4: "<u4"}


def pack(column: NDArray[np.int64]) -> tuple[int, int, Any]:
    """The least number, the bytes of a distance from it, and the distances; 0, 0 and the plain numbers (int64) where a
    short form does not pay."""
    least = int(column.min())
    span = int(column.max()) - least
    for width in (1, 2, 4):
        if span < 1 << (8 * width):
            return least, width, (column - least).astype(_UNSIGNED[width])
    return 0, 0, np.ascontiguousarray(column)


def unpack(blob: bytes, offset: int, count: int, least: int, width: int) -> NDArray[np.int64]:
    """The numbers of a column; KeyError or ValueError if it is damaged. Plain ones are a view of the blob."""
    column = view(blob, offset, count, width)
    return widened(column, least, width)


def view(blob: bytes, offset: int, count: int, width: int) -> NDArray[Any]:
    """A column as it is packed."""
    return np.frombuffer(blob, _UNSIGNED[width], count, offset)


def widened(column: NDArray[Any], least: int, width: int) -> NDArray[np.int64]:
    """The numbers of a column, or of some of its places."""
    return column.astype(np.int64) + least if width else column


def size(count: int, width: int) -> int:
    """How many bytes a column takes."""
    return count * (width or 8)
