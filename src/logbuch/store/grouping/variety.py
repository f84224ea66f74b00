"""How much the texts of a group's runs differ: the number of values, and the most common ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VALUES = 8
"""So many values of a group are named."""
VALUE_LENGTH = 200
"""Longer values are cut there and end in an ellipsis."""

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Variety:
    """The texts that groups of runs have under one key, an entry a group.

    ``distinct`` counts the values, ``missing`` the runs without one. ``common`` holds the values of one group after
    another, each group's most common first; those of group g end before ``ends[g]``."""

    distinct: Codes
    missing: Codes
    common: Codes
    ends: Codes
    known: Sequence[str | None]

    def values(self, group: int) -> list[str]:
        """The most common values of a group."""
        start = int(self.ends[group] - self.distinct[group])
        named = self.common[start : start + min(VALUES, int(self.distinct[group]))]
        return [_clipped(self.known[code] or "") for code in named.tolist()]


def variety(texts: Codes, known: Sequence[str | None], codes: Codes, groups: int) -> Variety:
    """What the groups have of texts: run i is of group ``codes[i]`` and has the text ``known[texts[i]]``."""
    absent = np.array([text is None for text in known], np.bool_)[texts]
    missing = np.bincount(codes[absent], minlength=groups)
    width = max(1, len(known))
    pairs, counts = np.unique(codes[~absent] * width + texts[~absent], return_counts=True)
    owner, text = np.divmod(pairs, width)
    distinct = np.bincount(owner, minlength=groups)
    # Values are numbered as they appear, so that of equally common ones the first that was read stands first.
    order = np.lexsort((text, -counts, owner))
    return Variety(distinct, missing, text[order], np.cumsum(distinct), known)


def _clipped(text: str) -> str:
    return text if len(text) <= VALUE_LENGTH else text[: VALUE_LENGTH - 1] + "…"
