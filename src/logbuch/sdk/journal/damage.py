"""What of a journal that its process has left cannot be read any more."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from struct import Struct

from logbuch.sdk.journal.folder import FilePart
from logbuch.sdk.journal.format import ENTRY, HEAD, KEY, PLAIN_HEAD, POINT, ROW, ROW_HEAD, padded


def lost(parts: Sequence[FilePart], behind: int, last: int) -> int:
    """How many entries with numbers above ``behind`` are missing between others or up to the ``last`` that is known to
    have been there, or are points of a key whose announcement is missing. What the end has lost besides is not known,
    but that there was something, if its remains are there."""
    found = [run for part in parts for run in part.runs()]
    end = max((run[1] for run in found), default=0)
    runs = [(behind, behind), *(run for run in found if run[1] > behind), (max(last, end) + 1,) * 2]
    missing = sum(max(0, after[0] - before[1] - 1) for before, after in pairwise(runs))
    frayed = end >= max(behind, last) and bool(parts) and parts[-1].frayed
    return missing + frayed + sum(_unannounced(part, behind) for part in parts if part.torn)


def fingerprint(journal: str, parts: Sequence[FilePart]) -> str:
    """32 hexadecimal digits, the same for journals of this ID of which the same is left."""
    hashed = blake2b(journal.encode(), digest_size=16)
    for part in parts:
        hashed.update(part.nonce)
        for begin, end in part.stretches(HEAD.size):
            hashed.update(part.read(begin, end))
    return hashed.hexdigest()


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
