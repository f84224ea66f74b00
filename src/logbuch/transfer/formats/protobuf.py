"""Messages of protocol buffers, read by field number without a schema.

The encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIGN, _RANGE = 1 << 63, 1 << 64
FIELDS = 100_000
"""What one message may have: as objects fields take a hundred times the two bytes that one can be written in."""


class Torn(ValueError):
    """Bytes that are no message."""


class Message:
    """The fields of a message by number; each holds its values in order: integers, or bytes for all other kinds."""

    __slots__ = ("_fields",)

    def __init__(self, data: memoryview | bytes) -> None:
        self._fields: dict[int, list[Any]] = {}
        for count, (number, value) in enumerate(_fields(memoryview(data)), start=1):
            if count > FIELDS:
                raise Torn(f"a message has more than {FIELDS:,} fields")
            self._fields.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def all(self, number: int) -> list[Any]:
        """All values of a field."""
        return self._fields.get(number, [])

    def integer(self, number: int, default: int = 0) -> int:
        """The last value of a signed whole number."""
        found = self._last(number, default)
        if not isinstance(found, int):
            raise Torn(f"field {number} is no number")
        return found - _RANGE if found >= _SIGN else found

    def double(self, number: int, default: float = 0.0) -> float:
        """The last value of a float or double."""
        found = self._last(number, None)
        if found is None:
            return default
        if not isinstance(found, memoryview) or len(found) not in (4, 8):
            raise Torn(f"field {number} is no floating-point number")
        return float(struct.unpack("<d" if len(found) == 8 else "<f", found)[0])

    def bytes(self, number: int) -> memoryview:
        """The last value of bytes; empty where there is none."""
        found = self._last(number, memoryview(b""))
        if not isinstance(found, memoryview):
            raise Torn(f"field {number} holds no bytes")
        return found

    def blobs(self, number: int) -> list[memoryview]:
        """All values of a field of bytes."""
        found = self.all(number)
        if not all(isinstance(one, memoryview) for one in found):
            raise Torn(f"field {number} holds no bytes")
        return found

    def texts(self, number: int) -> list[str]:
        """All values of a field of texts."""
        return [str(one, "utf-8", "replace") for one in self.blobs(number)]

    def text(self, number: int) -> str:
        """The last value of a text."""
        return str(self.bytes(number), "utf-8", "replace")

    def message(self, number: int) -> Message:
        """The last value of a message; an empty one where there is none."""
        return Message(self.bytes(number))

    def messages(self, number: int) -> Iterator[Message]:
        return map(Message, self.blobs(number))

    def numbers(self, number: int, kind: str) -> NDArray[Any]:
        """All values of a repeated fixed-size number, packed or not; ``kind`` is numpy's name of it."""
        found = self.all(number)
        size = np.dtype(kind).itemsize
        if not all(isinstance(one, memoryview) and len(one) % size == 0 for one in found):
            raise Torn(f"field {number} holds no numbers")
        return np.frombuffer(b"".join(found), kind)

    def integers(self, number: int) -> list[int]:
        """All values of a repeated whole number, packed or not."""
        found: list[int] = []
        for one in self.all(number):
            found += [one] if isinstance(one, int) else _varints(one)
        return [one - _RANGE if one >= _SIGN else one for one in found]

    def _last(self, number: int, default: Any) -> Any:
        found = self._fields.get(number)
        return found[-1] if found else default


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind, number = key & 7, key >> 3
        value: Any
        if kind == VARINT:
            value, at = _varint(data, at)
        else:
            if kind == BYTES:
                size, at = _varint(data, at)
            elif kind in (FIXED64, FIXED32):
                size = 8 if kind == FIXED64 else 4
            else:
                raise Torn(f"there is no kind {kind} of fields")
            if at + size > end:
                raise Torn("a field is cut short")
            value, at = data[at : at + size], at + size
        yield number, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    found = shift = 0
    while shift < 70:
        if at >= len(data):
            raise Torn("a number is cut short")
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found % _RANGE, at
        shift += 7
    raise Torn("a number has no end")


def _varints(data: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found
