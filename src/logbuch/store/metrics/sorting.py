"""Bringing the points of each series together: what merging and sealing begin with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]
_NARROW = 1 << 16


def together(codes: NDArray[np.int64], span: int) -> Places:
    """The stable order in which equal codes stand together and ascend; the codes lie from 0 to ``span - 1``."""
    width = period(codes)
    if width:
        rounds: Places = np.arange(len(codes)).reshape(-1, width)
        return rounds.T[np.argsort(codes[:width])].ravel()
    # So narrow, numpy sorts in one linear pass.
    return np.argsort(codes.astype(np.uint16) if span <= _NARROW else codes, kind="stable")


def period(codes: NDArray[np.int64]) -> int:
    """How many different codes there are where they come in the same order again and again, as the keys of a training
    do that logs the same metrics at each step; 0 where they do not."""
    if len(codes) < 2:
        return 0
    again: Any = codes[1:] == codes[0]
    width = int(again.argmax()) + 1
    if not again[width - 1] or len(codes) % width or not np.array_equal(codes[width:], codes[:-width]):
        return 0
    return width if len(set(codes[:width].tolist())) == width else 0
