"""Points in columns, and their packed forms, all little endian.

Arrival form of points that come in rounds (one commit of one run): see :mod:`logbuch.store.metrics.rounds`.

Arrival form of all others, their keys mixed: a uint64 that holds the number of points in its lower half and
in the next three bytes the widths of the columns key, step and timestamp; the least key, step and timestamp (int64);
the values (float64); then the three columns, each as unsigned distances from its least of as many bytes as the width
says, or as plain int64 where the width is 0. Where all three are 0, the leasts are left out and the values come last.

Block form (one series): a byte for the version, a uint32 length of the step and of the timestamp column, then step,
timestamp and value as pcodec chunks (https://github.com/pcodec/pcodec, standalone format).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics import narrow, ordinal, rounds, sorting
from logbuch.store.metrics.rounds import Rounds

_BLOCK = struct.Struct("<BII")
_BLOCK_VERSION = 1
LEAST_OF_ROUNDS = 32
"""Fewer points are not worth looking whether they come in rounds."""
_HEAD, _LEASTS = struct.Struct("<Q"), struct.Struct("<3q")


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one run and key: parallel arrays of steps (int64), timestamps (int64, ms) and values (float64)."""

    steps: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Series:
        return Series(self.steps[index], self.timestamps[index], self.values[index])

    @classmethod
    def empty(cls) -> Series:
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))

    @classmethod
    def concat(cls, parts: Sequence[Series]) -> Series:
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.steps for part in parts]),
            np.concatenate([part.timestamps for part in parts]),
            np.concatenate([part.values for part in parts]),
        )

    @classmethod
    def union(cls, parts: Sequence[Series]) -> Series:
        """The points of several ordered series, ordered, exact duplicates removed."""
        filled = [part for part in parts if len(part)]
        return filled[0] if len(filled) == 1 else cls.concat(filled).ordered()

    def ordered(self) -> Series:
        """Sorted by (step, timestamp, value), exact duplicates removed; the same object if it already is."""
        if _climbs(self.steps):
            return self
        ordinals = ordinal.encode_array(self.values)
        if _ascending(self.steps, self.timestamps, ordinals):
            return self
        order = np.lexsort((ordinals, self.timestamps, self.steps))
        arranged, ordinals = self[order], ordinals[order]
        fresh = np.zeros(len(order), np.bool_)
        fresh[0] = True
        for column in (arranged.steps, arranged.timestamps, ordinals):
            fresh[1:] |= column[1:] != column[:-1]
        return arranged if fresh.all() else arranged[fresh]

    def by_time(self) -> Series:
        """Sorted by (timestamp, step, value), the order of a metric's history. Expects no duplicates."""
        if _climbs(self.timestamps):
            return self
        ordinals = ordinal.encode_array(self.values)
        if _ascending(self.timestamps, self.steps, ordinals):
            return self
        return self[np.lexsort((ordinals, self.steps, self.timestamps))]


def _climbs(column: NDArray[np.int64]) -> bool:
    """Whether each item is greater than the one before it."""
    return bool((column[1:] > column[:-1]).all())


def _ascending(first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64]) -> bool:
    """Whether the triples ascend strictly."""
    # By comparison, not by difference: steps may lie more than 63 bits apart.
    if not (first[1:] >= first[:-1]).all():
        return False
    apart = (second[1:] > second[:-1]) | ((second[1:] == second[:-1]) & (third[1:] > third[:-1]))
    return bool(((first[1:] != first[:-1]) | apart).all())


def pack_arrival(keys: NDArray[np.int64], points: Series) -> bytes:
    """The arrival form of points and their keys, columns of equal length."""
    table = find_rounds(keys, points) if len(keys) >= LEAST_OF_ROUNDS else None
    if table is not None:
        return rounds.pack(table)
    head, leasts, columns = len(keys), [], []
    for place, column in enumerate((keys, points.steps, points.timestamps)):
        least, width, packed = narrow.pack(column)
        head |= width << (32 + 8 * place)
        leasts.append(least)
        columns.append(packed.data)
    values = np.ascontiguousarray(points.values).data
    if head == len(keys):
        return b"".join((_HEAD.pack(head), *columns, values))
    return b"".join((_HEAD.pack(head), _LEASTS.pack(*leasts), values, *columns))


def find_rounds(keys: NDArray[np.int64], points: Series) -> Rounds | None:
    """The table of points and their keys; None where they are none."""
    return rounds.find(keys, points.steps, points.timestamps, points.values)


def split_arrivals(blobs: Sequence[bytes], only: frozenset[int] | None = None) -> dict[int, Series]:
    """The series of each key in packed arrivals, in the order of arrival; only of the keys in ``only`` if given."""
    wanted = None if only is None else np.sort(np.fromiter(only, np.int64, len(only)))
    table = unpack_rounds(blobs, wanted)
    if table is not None:
        return split_rounds(table)
    unpacked = [part for blob in blobs if len((part := unpack_arrival(blob, wanted))[0])]
    if not unpacked:
        return {}
    return split_points(np.concatenate([keys for keys, _ in unpacked]), Series.concat([one for _, one in unpacked]))


def unpack_rounds(blobs: Sequence[bytes], wanted: NDArray[np.int64] | None = None) -> Rounds | None:
    """All points of packed arrivals as one table; None where they are none. Only those of the keys in ``wanted``, which
    ascend, if given. Raises what :func:`unpack_arrival` does."""
    parts = []
    for blob in blobs:
        part = rounds.unpack(blob)
        if part is None:
            return None
        chosen = part if wanted is None else part.only(_places(part.keys, wanted))
        if len(chosen):
            parts.append(chosen)
    return rounds.joined(parts) if parts else None


def split_rounds(table: Rounds) -> dict[int, Series]:
    """The series of each key of a table whose keys differ."""
    steps, timestamps, values = (np.ascontiguousarray(one.T) for one in (table.steps, table.timestamps, table.values))
    own = [column if len(column) > 1 else np.broadcast_to(column, values.shape) for column in (steps, timestamps)]
    columns = zip(own[0], own[1], values, strict=True)
    return {key: Series(*column) for key, column in zip(table.keys.tolist(), columns, strict=True)}


def split_points(keys: NDArray[np.int64], points: Series) -> dict[int, Series]:
    """The series of each key, in the order of arrival."""
    if not len(keys):
        return {}
    least = int(keys.min())
    order = sorting.together(keys - least, int(keys.max()) - least + 1)
    keys, points = keys[order], points[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))).tolist()
    ends = [*starts[1:], len(keys)]
    return {int(keys[start]): points[start:end] for start, end in zip(starts, ends, strict=True)}


def unpack_arrival(blob: bytes, wanted: NDArray[np.int64] | None = None) -> tuple[NDArray[np.int64], Series]:
    """The keys of an arrival and its points; only those of the keys in ``wanted``, which ascend, if given.

    Raises ValueError, KeyError or struct.error if it is damaged.
    """
    table = rounds.unpack(blob)
    if table is not None:
        chosen = table if wanted is None else table.only(_places(table.keys, wanted))
        keys, steps, timestamps, values = chosen.spread()
        return keys, Series(steps, timestamps, values)
    return _unpack_mixed(blob, wanted)


def _unpack_mixed(blob: bytes, wanted: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], Series]:
    (head,) = _HEAD.unpack_from(blob)
    count = head & 0xFFFF_FFFF
    widths = [head >> shift & 0xFF for shift in (32, 40, 48)]
    short = any(widths)
    leasts = _LEASTS.unpack_from(blob, _HEAD.size) if short else (0, 0, 0)
    offset = _HEAD.size + _LEASTS.size if short else _HEAD.size
    values = np.frombuffer(blob, "<f8", count, offset if short else offset + 24 * count)
    offset += 8 * count if short else 0
    columns: list[NDArray[np.int64]] = []
    chosen: Any = slice(None)
    for least, width in zip(leasts, widths, strict=True):
        columns.append(narrow.widened(narrow.view(blob, offset, count, width)[chosen], least, width))
        offset += narrow.size(count, width)
        if len(columns) == 1 and wanted is not None:
            # A wide step has a thousand keys, of which a chart wants one: the other columns are read at its places.
            chosen = _places(columns[0], wanted)
            columns[0] = columns[0][chosen]
    return columns[0], Series(columns[1], columns[2], values[chosen])


def _places(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.intp]:
    if len(wanted) < 2:
        return np.flatnonzero(keys == wanted[0]) if len(wanted) else np.empty(0, np.intp)
    nearest = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    return np.flatnonzero(wanted[nearest] == keys)


class Packer:
    """Packs series as blocks. Of many series that were logged together, equal columns are compressed once."""

    def __init__(self) -> None:
        self._packed: dict[bytes, bytes] = {}

    def block(self, series: Series) -> bytes:
        """The block form of a series. Values are compressed losslessly, bit for bit."""
        steps, timestamps = self._shared(series.steps), self._shared(series.timestamps)
        head = _BLOCK.pack(_BLOCK_VERSION, len(steps), len(timestamps))
        return b"".join((head, steps, timestamps, _compressed(series.values)))

    def _shared(self, column: NDArray[np.int64]) -> bytes:
        raw = column.tobytes()
        if raw not in self._packed:
            self._packed[raw] = _compressed(column)
        return self._packed[raw]


def _compressed(column: NDArray[Any]) -> bytes:
    compress, config = _compressor()
    packed: bytes = compress(np.ascontiguousarray(column), config)
    return packed


@cache
def _compressor() -> tuple[Callable[..., bytes], Any]:
    from pcodec import ChunkConfig, standalone

    # Level 4 needs half the time of the default, 8, and half a percent more space.
    return standalone.simple_compress, ChunkConfig(compression_level=4)


def unpack_block(blob: bytes, points: int) -> Series:
    """The series of a block; ValueError or RuntimeError if it is damaged, or of a version that is not known here."""
    from pcodec import standalone

    version, steps, timestamps = _BLOCK.unpack_from(blob)
    if version != _BLOCK_VERSION:
        raise ValueError(f"metric block of unknown version {version}")
    start, middle = _BLOCK.size, _BLOCK.size + steps
    end = middle + timestamps
    columns = [standalone.simple_decompress(part) for part in (blob[start:middle], blob[middle:end], blob[end:])]
    if any(column is None or len(column) != points for column in columns):
        raise ValueError(f"metric block does not hold {points} points")
    return Series(*columns)
