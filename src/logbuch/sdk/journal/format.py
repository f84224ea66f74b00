"""The bytes of a journal's segments.

A segment is a header and entries behind each other, each padded to 8 bytes. All numbers are little-endian::

    header   magic 8s, version u32, 0 u32, first entry's number u64, journal 16s, nonce 16s, crc32 of that u32, 0 u32
    entry    length u32, crc32 u32, number u64, then ``length`` bytes that begin with a kind u16 and flags u16

The crc32 is that of the bytes behind the number, begun with the number's low 32 bits. Numbers grow by one; an
announcement of a key bears the number of the entry behind it. A length of 0 is the end of what was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from zlib import crc32

MAGIC, VERSION = b"LOGBUCHJ", 1
HEAD = Struct("<8sII Q16s16sII")
"""A segment's header: 64 bytes."""
_NONCE = 40
ENTRY = Struct("<IIQ")
POINT, ROW, KEY, RECORD = 1, 2, 3, 4
"""One point; several points of one step; the meaning of a key's number; a record of the native ingest protocol."""
VITAL, UNCOUNTED = 1, 2
"""Flags of a record: it finds room where others do not, as the end of a run does; it is none that somebody logged."""
POINT_BODY = Struct("<HHIqqd")
"""kind, flags, key, step, timestamp (ms), value."""
ROW_HEAD = Struct("<HHIqq")
"""kind, flags, count, step, timestamp (ms); then ``count`` keys u32 and as many values f64."""
PLAIN_HEAD = Struct("<HHI")
"""kind, flags, and the key's number or 0; then a record, or a run ID, a NUL and the key in UTF-8."""
POINT_ENTRY = Struct("<IIQ32s")
POINT_BYTES = POINT_ENTRY.size
LOW = 0xFFFFFFFF
_FARTHEST = 2**31
"""No number is that far from the one before it. The checksum knows its low 32 bits, and this the others."""


def padded(size: int) -> int:
    """The next multiple of 8."""
    return (size + 7) & ~7


def entry_bytes(number: int, body: bytes) -> bytes:
    """An entry as it is written."""
    raw = ENTRY.pack(len(body), crc32(body, number & LOW), number) + body
    return raw + bytes(-len(raw) % 8)


def head_bytes(journal: str, first: int, nonce: bytes) -> bytes:
    """A segment's header."""
    begin = HEAD.pack(MAGIC, VERSION, 0, first, bytes.fromhex(journal), nonce, 0, 0)[:-8]
    return begin + Struct("<II").pack(crc32(begin), 0)


def read_head(raw: bytes) -> tuple[str, int, bytes] | None:
    """Journal, number of the first entry and nonce; None where no header of this version stands."""
    if len(raw) < HEAD.size:
        return None
    magic, version, _, first, journal, nonce, check, _ = HEAD.unpack_from(raw)
    if magic != MAGIC or version != VERSION or check != crc32(raw[: HEAD.size - 8]):
        return None
    return journal.hex(), first, nonce


def salvaged(raw: bytes, journal: str, name: str) -> tuple[str, int, bytes] | None:
    """What a header that is damaged said, as far as the names of its folder and its file tell it; None where the
    header is whole, and of another version then. The entries bear checksums of their own."""
    if len(raw) >= HEAD.size and HEAD.unpack_from(raw)[6] == crc32(raw[: HEAD.size - 8]):
        return None
    return (journal, int(name), raw[_NONCE : _NONCE + 16].ljust(16, b"\0")) if name.isdecimal() else None


def sound(data: bytes, begin: int, last: int) -> Iterator[tuple[int, int, int]]:
    """The entries of a segment that are whole, from ``begin`` on: place, place behind it, number. What is torn or
    flipped is passed over. ``last`` is the number before the first."""
    end = padded(len(data.rstrip(b"\0")))  # an entry may end in zeros: this bounds where one may begin
    place: int | None = begin
    while place is not None and place < end:
        behind = _behind(data, place, last)
        if behind is None:
            place = next((at for at in range(place + 8, end, 8) if _behind(data, at, last) is not None), None)
            continue
        number = ENTRY.unpack_from(data, place)[2]
        yield place, behind, number
        if data[place + ENTRY.size] != KEY:
            last = number
        place = behind


def _behind(data: bytes, place: int, last: int) -> int | None:
    """The place behind the entry at ``place``, if a whole one with a number above ``last`` stands there."""
    begin = place + ENTRY.size
    if begin + PLAIN_HEAD.size > len(data):
        return None
    length, check, number = ENTRY.unpack_from(data, place)
    if length < PLAIN_HEAD.size or begin + length > len(data) or not last < number <= last + _FARTHEST:
        return None
    return padded(begin + length) if crc32(data[begin : begin + length], number & LOW) == check else None
