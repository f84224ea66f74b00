"""TensorFlow's record files: length, its checksum, the record, its checksum.

The checksums are CRC-32C, masked: https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import crc32c

_HEAD = struct.Struct("<QI")
_TAIL = struct.Struct("<I")
_MASK = 0xA282EAD8
_LARGEST = 2**31
"""A record is a protocol buffer, which cannot be larger."""


class Record(NamedTuple):
    """A record and where its content begins in the file."""

    offset: int
    data: bytes


def read(file: Path, lost: Callable[[str, str], None]) -> Iterator[Record]:
    """The whole records of a file. ``lost(what, why)`` is told of those that are not."""
    offset = number = 0
    with file.open("rb") as content:
        while head := content.read(_HEAD.size):
            number += 1
            if len(head) < _HEAD.size:
                lost(f"the last record of {file}", "it is cut short")
                return
            size, check = _HEAD.unpack(head)
            if size > _LARGEST or _masked(head[:8]) != check:
                lost(f"{file} from record {number} on", "it is damaged there, or no file of events")
                return
            data, tail = content.read(size), content.read(_TAIL.size)
            if len(tail) < _TAIL.size:
                lost(f"the last record of {file}", "it is cut short")
                return
            if _masked(data) != _TAIL.unpack(tail)[0]:
                lost(f"record {number} of {file}", "it is damaged")
            else:
                yield Record(offset + _HEAD.size, data)
            offset += _HEAD.size + size + _TAIL.size


def _masked(data: bytes) -> int:
    check = crc32c.crc32c(data)
    return ((check >> 15 | check << 17) + _MASK) & 0xFFFFFFFF
