"""What of a journal that its process has left cannot be read any more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from struct import Struct

from logbuch.sdk.journal.folder import FilePart
from logbuch.sdk.journal.format import ENTRY, HEAD, KEY, PLAIN_HEAD, POINT, ROW, ROW_HEAD, padded


def lost(parts: Sequence[FilePart], behind: int) -> int:
    """How many entries with numbers above ``behind`` are missing between others, or are points of a key whose
    announcement is. What was lost at the very end is not known."""
    runs = [(behind, behind), *(run for part in parts for run in part.runs() if run[1] > behind)]
    missing = sum(max(0, after[0] - before[1] - 1) for before, after in pairwise(runs))
    return missing + sum(_unannounced(part, behind) for part in parts if part.torn)


def _unannounced(part: FilePart, behind: int) -> int:
    known: set[int] = set()
    count = 0
    for begin, end in part.stretches(HEAD.size):
        data, place = part.read(begin, end), 0
        while place < len(data):
            length, _, number = ENTRY.unpack_from(data, place)
            body = data[place + ENTRY.size : place + ENTRY.size + length]
            place += padded(ENTRY.size + length)
            kind, _, key = PLAIN_HEAD.unpack_from(body)
            if kind == KEY:
                known.add(key)
            elif kind == POINT:
                count += number > behind and key not in known
            elif kind == ROW:
                keys = Struct(f"<{key}I").unpack_from(body, ROW_HEAD.size)
                count += number > behind and not known.issuperset(keys)
    return count
