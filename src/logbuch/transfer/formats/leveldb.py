"""LevelDB's log format as W&B writes it: records in fragments, in blocks of 32 KiB.

A file begins with seven bytes of W&B's own. A fragment is a CRC-32 (of its kind and content), a length, a kind (whole,
first, middle, last) and the content; LevelDB itself has another checksum. The format:
https://github.com/google/leveldb/blob/main/doc/log_format.md
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from logbuch.errors import InvalidInput

BLOCK = 32 * 1024
_HEAD = struct.Struct("<IHB")
_FILE_HEAD = struct.Struct("<4sHB")
_MARK, _MAGIC = b":W&B", 0xBEE1
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def read(file: Path, lost: Callable[[str, str], None]) -> Iterator[bytes]:
    """The whole records of a file. ``lost(what, why)`` is told of what is damaged; the next block goes on after it."""
    with file.open("rb") as content:
        head = content.read(_FILE_HEAD.size)
        if len(head) < _FILE_HEAD.size or _FILE_HEAD.unpack(head)[:2] != (_MARK, _MAGIC):
            raise InvalidInput(f"{file} is no file of W&B's.")
        parts: list[bytes] = []
        number, start = 0, _FILE_HEAD.size
        while block := content.read(BLOCK - start):
            for kind, data in _fragments(block, full=len(block) == BLOCK - start, where=(file, number), lost=lost):
                if kind in (_WHOLE, _FIRST):
                    parts = []
                elif not parts:
                    continue  # the beginning was lost, and told
                parts.append(data)
                if kind in (_WHOLE, _LAST):
                    yield b"".join(parts)
                    parts = []
            number, start = number + 1, 0
        if parts:
            lost(f"the last record of {file}", "it is cut short")


def _fragments(
    block: bytes, *, full: bool, where: tuple[Path, int], lost: Callable[[str, str], None]
) -> Iterator[tuple[int, bytes]]:
    at, (file, number) = 0, where
    while at + _HEAD.size <= len(block):
        check, size, kind = _HEAD.unpack_from(block, at)
        if kind == 0 and size == 0 and full:
            return  # the rest of the block was left empty
        data = block[at + _HEAD.size : at + _HEAD.size + size]
        if len(data) < size and not full:
            lost(f"the last record of {file}", "it is cut short")
            return
        if len(data) < size or not _WHOLE <= kind <= _LAST or zlib.crc32(data, zlib.crc32(bytes([kind]))) != check:
            lost(f"block {number + 1} of {file} from byte {at} on", "it is damaged")
            return
        yield kind, data
        at += _HEAD.size + size
    if at < len(block) and not full:
        lost(f"the last record of {file}", "it is cut short")
