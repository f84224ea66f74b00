"""Reading whole series: their blocks, and the points of theirs that are still in the log."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from logbuch.errors import NotFound
from logbuch.store import runs, schema
from logbuch.store.metrics import blocks
from logbuch.store.metrics.blocks import Head, Segment
from logbuch.store.metrics.points import Series, split_arrivals, split_points, unpack_arrival
from logbuch.store.tx import Tx, beside_latest

logger = logging.getLogger("logbuch.store.series")
_SPAN = 1_000_000


@dataclass(frozen=True, slots=True)
class Outline:
    """One series without the points of its blocks: its parts in the order of steps, and the points in the log."""

    late: Series
    parts: Sequence[Segment]

    @property
    def heads(self) -> list[Head]:
        return [head for part in self.parts for head in part.blocks]

    @property
    def points(self) -> int:
        """How many points there are; exact duplicates in the log count."""
        return len(self.late) + sum(head.points for head in self.heads)


@dataclass(frozen=True, slots=True)
class Log:
    """The points of a run that are in no block yet, in the order in which they came, with the inner id of each one's
    key."""

    keys: NDArray[np.int64]
    points: Series

    @classmethod
    def of_blobs(cls, blobs: Iterable[bytes]) -> Log:
        """From packed arrivals. A damaged one is left out and logged: it must not hide all others."""
        parts = [part for blob in blobs if (part := _unpacked(blob)) is not None]
        if not parts:
            return cls(np.empty(0, np.int64), Series.empty())
        return cls(np.concatenate([keys for keys, _ in parts]), Series.concat([points for _, points in parts]))

    def known(self) -> set[int]:
        """The keys."""
        return _distinct(self.keys)

    def odd(self) -> set[int]:
        """The keys with a value that is no finite number."""
        return _distinct(self.keys[~np.isfinite(self.points.values)])

    def only(self, keys: Iterable[int]) -> Log:
        """The points of these keys."""
        mine = np.isin(self.keys, np.fromiter(keys, np.int64))
        return Log(self.keys[mine], self.points[mine])

    def of(self, keys: Iterable[int]) -> dict[int, Series]:
        """The points of each of these keys, in the order in which they came."""
        mine = self.only(keys)
        return split_points(mine.keys, mine.points)


def _distinct(keys: NDArray[np.int64]) -> set[int]:
    if not len(keys):
        return set()
    least = int(keys.min())
    if int(keys.max()) - least > _SPAN:
        return set(np.unique(keys).tolist())
    # Counting takes a tenth of the time of sorting.
    return set((np.flatnonzero(np.bincount(keys - least)) + least).tolist())


def _unpacked(blob: bytes) -> tuple[NDArray[np.int64], Series] | None:
    try:
        return unpack_arrival(blob)
    except (ValueError, KeyError, struct.error):
        logger.error("points in the log are damaged and left out")
        return None


@beside_latest
def log(tx: Tx, run: int) -> Log:
    """What of a run (inner id) is not in blocks yet."""
    query = select(schema.arrivals.c.data).where(schema.arrivals.c.run == run).order_by(schema.arrivals.c.id)
    return Log.of_blobs(tx.execute(query).scalars())


def find(tx: Tx, run_id: str, key: str) -> tuple[int, int] | None:
    """The inner ids of a run and a key; None if one of them does not exist."""
    try:
        run = runs.row(tx, run_id).id
    except NotFound:
        return None
    id_ = tx.known_names([key]).get(key)
    return None if id_ is None else (run, id_)


def outlines(tx: Tx, run: int, keys: Sequence[int], known_log: Log | None = None) -> dict[int, Outline]:
    """The outlines of these keys; keys without points are left out. ``known_log`` spares reading the log again."""
    late = _late(tx, run, keys) if known_log is None else known_log.of(keys)
    known = blocks.heads(tx, run, keys)
    found = {}
    for key in keys:
        if key in late or key in known:
            series = late[key].ordered() if key in late else Series.empty()
            found[key] = Outline(series, list(blocks.segments(known.get(key, ()), series)))
    return found


def _late(tx: Tx, run: int, keys: Sequence[int]) -> dict[int, Series]:
    log = select(schema.arrivals.c.data).where(schema.arrivals.c.run == run).order_by(schema.arrivals.c.id)
    return split_arrivals(list(tx.execute(log).scalars()), frozenset(keys))


@beside_latest
def between(tx: Tx, run_id: str, key: str, start: int | None = None, end: int | None = None) -> Series:
    """The points of a metric between two steps (inclusive; None: all), by (step, timestamp, value)."""
    place = find(tx, run_id, key)
    outline = outlines(tx, place[0], [place[1]]).get(place[1]) if place else None
    if outline is None:
        return Series.empty()
    wanted = [
        head.id
        for head in outline.heads
        if (start is None or head.last[0] >= start) and (end is None or head.first[0] <= end)
    ]
    points = blocks.read(tx, wanted)
    found = Series.union([*points.values(), outline.late])
    first = 0 if start is None else int(found.steps.searchsorted(start, side="left"))
    last = len(found) if end is None else int(found.steps.searchsorted(end, side="right"))
    return found[first:last]


@beside_latest
def several(tx: Tx, run_id: str, keys: Sequence[str], most: int) -> tuple[dict[str, Series], Sequence[str]]:
    """The points of these metrics of a run, each by (step, timestamp, value), as far as they are no more than ``most``,
    but of one metric at least; and the keys that are left. Metrics without points are left out."""
    ids = tx.known_names(keys)
    try:
        run = runs.row(tx, run_id).id
    except NotFound:
        return {}, ()
    found = outlines(tx, run, list(ids.values())) if ids else {}
    if not found:
        return {}, ()
    outlined = [(place, found[ids[key]]) for place, key in enumerate(keys) if ids.get(key) in found]
    ends = np.cumsum([outline.points for _, outline in outlined])
    count = max(1, int(np.searchsorted(ends, most, side="right")))
    taken = outlined[:count]
    points = blocks.read(tx, [head.id for _, outline in taken for head in outline.heads])
    whole = {
        keys[place]: Series.union([*(points[head.id] for head in outline.heads if head.id in points), outline.late])
        for place, outline in taken
    }
    return whole, keys[outlined[count][0] :] if count < len(outlined) else ()
