"""Points that come in rounds: the same keys in the same order again and again, as a training logs them step by step.

They are a table with a row a round. Its keys stand once, and so do a step and a time that a whole round shares: there
is less to write, and nothing to sort.

Packed form, little endian: a uint64 that holds the number of points in its lower half, then a byte each for the widths
of the columns key, step and timestamp, and in the highest byte 1, with 2 added where each point has a step of its own,
and 4 where each has a timestamp of its own; a uint64, the number of keys; the least key, step and timestamp (int64);
the values (float64), round by round; then the three columns as :mod:`logbuch.store.metrics.narrow` makes them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics import narrow

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_HEAD = struct.Struct("<2Q3q")
_SHARE = 16
"""A column with an item for so many points stays plain: half a byte a point is less than the work is worth."""
_MARK = 1 << 56
_OWN = (2 << 56, 4 << 56)
"""Marks of steps and timestamps that are each point's own."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """``keys`` has an item for each column of the table, ``values`` (2 dimensions) a row for each round. So have
    ``steps`` and ``timestamps``, which have a single column where each round has but one."""

    keys: Ints
    steps: Ints
    timestamps: Ints
    values: Floats

    def __len__(self) -> int:
        return self.values.size

    def only(self, places: NDArray[np.intp]) -> Rounds:
        """The columns at these places."""
        return Rounds(
            self.keys[places],
            self.steps if self.steps.shape[1] == 1 else self.steps[:, places],
            self.timestamps if self.timestamps.shape[1] == 1 else self.timestamps[:, places],
            self.values[:, places],
        )

    def spread(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Keys, steps, timestamps and values as parallel columns, round by round."""
        keys = np.tile(self.keys, len(self.values))
        return keys, self.whole(self.steps).ravel(), self.whole(self.timestamps).ravel(), self.values.ravel()

    def whole(self, column: Ints) -> Ints:
        """Steps or timestamps with an item for each point."""
        return np.broadcast_to(column, self.values.shape)


def find(keys: Ints, steps: Ints, timestamps: Ints, values: Floats) -> Rounds | None:
    """The table of points in parallel columns; None where they are none. As many points of each key, one key after the
    other, are a table too, which stands upright."""
    if len(keys) < 2:
        return None
    upright = bool(keys[0] == keys[1])
    size = _first(keys != keys[0] if upright else keys == keys[0])
    if len(keys) % size or not (_even if upright else _again)(keys, size):
        return None
    own, *times = (_laid(column, size, upright) for column in (keys, steps, timestamps))
    # Whether a round has a single one is seen as they lie: numpy takes the short rows of a table one by one.
    shared = [(_again if upright else _even)(column, size) for column in (steps, timestamps)]
    of_rounds, of_times = (column[:, :1] if one else column for column, one in zip(times, shared, strict=True))
    return Rounds(own[0], of_rounds, of_times, _laid(values, size, upright))


def _laid(column: NDArray[Any], size: int, upright: bool) -> NDArray[Any]:
    """The column as a table with a row a round."""
    table = column.reshape(-1, size)
    return table.T if upright else table


def joined(parts: Sequence[Rounds]) -> Rounds | None:
    """The rounds of several tables as one; None where their keys differ, or one has a key twice."""
    first = parts[0]
    alike = all(np.array_equal(part.keys, first.keys) for part in parts[1:])
    if not alike or len(set(first.keys.tolist())) < len(first.keys):
        return None
    if len(parts) == 1:
        return first
    return Rounds(
        first.keys,
        _stacked([part.steps for part in parts]),
        _stacked([part.timestamps for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def pack(table: Rounds) -> bytes:
    """The packed form."""
    head, leasts, columns = len(table) | _MARK, [], []
    for place, column in enumerate((table.keys, table.steps, table.timestamps)):
        plain = column.size * _SHARE <= len(table)
        least, width, packed = (0, 0, column) if plain else narrow.pack(column)
        head |= width << (32 + 8 * place)
        leasts.append(least)
        columns.append(packed.tobytes())
    for own, column in zip(_OWN, (table.steps, table.timestamps), strict=True):
        head |= own if column.shape[1] > 1 else 0
    return b"".join((_HEAD.pack(head, len(table.keys), *leasts), table.values.tobytes(), *columns))


def unpack(blob: bytes) -> Rounds | None:
    """The table of a packed form; None for another form. Raises ValueError, KeyError or struct.error if it is
    damaged."""
    (head,) = struct.unpack_from("<Q", blob)
    if not head & _MARK:
        return None
    _, width, *leasts = _HEAD.unpack_from(blob)
    points = head & 0xFFFF_FFFF
    if not width or points % width:
        raise ValueError(f"{points} points are no rounds of {width}")
    rounds, offset = points // width, _HEAD.size
    values = np.frombuffer(blob, "<f8", points, offset).reshape(rounds, width)
    offset += 8 * points
    columns = []
    sizes = (width, *(points if head & own else rounds for own in _OWN))
    for place, (least, count) in enumerate(zip(leasts, sizes, strict=True)):
        bytes_ = head >> (32 + 8 * place) & 0xFF
        columns.append(narrow.unpack(blob, offset, count, least, bytes_))
        offset += narrow.size(count, bytes_)
    return Rounds(columns[0], columns[1].reshape(rounds, -1), columns[2].reshape(rounds, -1), values)


def _first(found: NDArray[np.bool_]) -> int:
    """The first place but one where something was found; that behind all of them where it was not."""
    at = int(found[1:].argmax()) + 1
    return at if found[at] else len(found)


def _even(column: Ints, size: int) -> bool:
    """Whether each stretch of this size holds a single number."""
    alike = column[1:] == column[:-1]
    alike[size - 1 :: size] = True
    return bool(alike.all())


def _again(column: Ints, size: int) -> bool:
    """Whether each stretch of this size is like the first."""
    return bool((column[size:] == column[:-size]).all())


def _stacked(columns: Sequence[Ints]) -> Ints:
    width = max(column.shape[1] for column in columns)
    if any(column.shape[1] != width for column in columns):
        columns = [np.broadcast_to(column, (len(column), width)) for column in columns]
    return np.concatenate(columns)
