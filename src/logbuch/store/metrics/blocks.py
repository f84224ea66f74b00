"""Blocks: the compressed stretches of a series, and how they change when points arrive.

Blocks of one series never overlap in steps, except that one may begin with the step at which another ends. Points that
arrive late, between or inside older blocks, cause only those blocks to be written anew that they fall into.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select

from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.store import schema
from logbuch.store.metrics import ordinal, rows
from logbuch.store.metrics.points import Packer, Series, unpack_block
from logbuch.store.query.among import among
from logbuch.store.tx import Tx, beside_latest, chunks

BLOCK_POINTS = 32_768
"""Points of a full block. Larger ones compress no better, and a read of a part would decode too much."""
SMALL_POINTS = 4096
"""A block with fewer points is joined with what comes after it, once that is as much."""
_table = schema.blocks
logger = logging.getLogger("logbuch.store.blocks")
_ENDS = ("first_step", "last_step", "first_time", "last_time", "min_time", "max_time")
_COLUMNS = ("run", "key", "points", *_ENDS, "min", "max", "data")
_OF_HEADS = [_table.c[name] for name in ("run", "key", "id", "points", *_ENDS, "min")]
_insert = schema.blocks.insert()
_insert_summary = schema.summaries.insert()


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a block without reading its points.

    ``first`` and ``last`` are the (step, timestamp) of its ends. Of a block of the first schema only the steps are
    known; it stands for all times.
    """

    id: int
    points: int
    first: tuple[int, int]
    last: tuple[int, int]
    min_time: int
    max_time: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring blocks, and the slice of the arrived points that falls among them; either may be empty."""

    blocks: Sequence[Head]
    start: int
    end: int

    @property
    def arrived(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Blocks that are replaced, and the points that stand in their place from now on."""

    key: int
    replaced: Sequence[int]
    points: Series
    even: bool
    """Whether the new blocks are of equal size; else they are full but for the last, to which more will come."""


class _Reach(NamedTuple):
    """Between which times and values (ordinals) the points of a block lie; ``low`` is that of NaN where all are."""

    min_time: int
    max_time: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Packed:
    """What a transaction has to write: ids of old blocks that go, and rows of new ones with their summaries."""

    replaced: Sequence[int]
    blocks: Sequence[tuple[tuple[Any, ...], bytes | None]]


def heads(tx: Tx, run: int, keys: Sequence[int], first_step: int = INT64_MIN) -> dict[int, list[Head]]:
    """The blocks of these keys that begin at a step or after it, each key's in the order of their points: by (step,
    timestamp, value)."""
    mine = (_table.c.run == run, _table.c.first_step >= first_step, among(_table.c.key, keys))
    return _arranged(tx.execute(select(*_OF_HEADS).where(*mine)).all()).get(run, {})


def heads_of_runs(tx: Tx, runs: Iterable[int], keys: Iterable[int]) -> dict[int, dict[int, list[Head]]]:
    """The same of several runs, all their blocks of these keys: by run and key."""
    mine = (among(_table.c.run, runs), among(_table.c.key, keys))
    return _arranged(tx.execute(select(*_OF_HEADS).where(*mine)).all())


def _arranged(found: Iterable[Any]) -> dict[int, dict[int, list[Head]]]:
    series: dict[tuple[int, int], list[tuple[Any, Head]]] = {}
    for row in found:
        head = _head(row)
        # Where one step and time fill several blocks, the values part them; NaN stands above all.
        place = (head.first, head.last, row.min is None, row.min)
        series.setdefault((row.run, row.key), []).append((place, head))
    arranged: dict[int, dict[int, list[Head]]] = {}
    for (run, key), own in series.items():
        arranged.setdefault(run, {})[key] = [head for _, head in sorted(own, key=itemgetter(0))]
    return arranged


def _head(row: Any) -> Head:
    if row.first_time is None:
        first, last = (row.first_step, INT64_MIN), (row.last_step, INT64_MAX)
        return Head(row.id, row.points, first, last, INT64_MIN, INT64_MAX)
    first, last = (row.first_step, row.first_time), (row.last_step, row.last_time)
    return Head(row.id, row.points, first, last, row.min_time, row.max_time)


def read(tx: Tx, ids: Sequence[int]) -> dict[int, Series]:
    """The points of these blocks. One that cannot be read is left out and logged: it must not hide the others."""
    found: dict[int, Series] = {}
    for part in chunks(ids):
        query = select(_table.c.id, _table.c.points, _table.c.data).where(_table.c.id.in_(part))
        for id_, points, data in tx.execute(query):
            try:
                found[id_] = unpack_block(data, points)
            except (ValueError, RuntimeError, struct.error) as error:
                logger.error("block %d of %d points is damaged and left out: %s", id_, points, error)
    return found


def read_summaries(tx: Tx, ids: Sequence[int]) -> dict[int, tuple[bool, NDArray[Any]]]:
    """The summaries of those of these blocks that have one; see :func:`logbuch.store.metrics.rows.unpack`."""
    table, found = schema.summaries, {}
    for part in chunks(ids):
        for id_, data in tx.execute(select(table.c.block, table.c.data).where(table.c.block.in_(part))):
            summary = rows.unpack(data)
            if summary is not None:
                found[id_] = summary
    return found


def segments(known: Sequence[Head], arrived: Series) -> Iterator[Segment]:
    """All blocks and all arrived points (in order) of a series, cut where an untouched block stands."""
    if _follows(known, arrived):
        yield from (Segment([head], 0, 0) for head in known)
        yield Segment([], 0, len(arrived))
        return
    blocks: list[Head] = []
    start = end = 0
    for head in known:
        low, high = _place(arrived, head.first, "left"), _place(arrived, head.last, "right")
        if high > low:  # points fall into it: it joins what came before
            blocks.append(head)
            end = max(end, high)
            continue
        low = max(end, low)
        if blocks or low > start:
            yield Segment(blocks, start, low)
        yield Segment([head], low, low)
        blocks, start, end = [], low, low
    if blocks or len(arrived) > start:
        yield Segment(blocks, start, len(arrived))


def _follows(known: Sequence[Head], arrived: Series) -> bool:
    """Whether all points came after all blocks, as those of most trainings do."""
    if not len(arrived):
        return False
    begin = (int(arrived.steps[0]), int(arrived.timestamps[0]))
    return all(head.last < begin for head in known)


def _place(series: Series, end: tuple[int, int], side: Literal["left", "right"]) -> int:
    """Where a (step, timestamp) stands among ordered points."""
    if not len(series):
        return 0
    step, time = end
    first = int(np.searchsorted(series.steps, step, side="left"))
    last = int(np.searchsorted(series.steps, step, side="right"))
    return first + int(np.searchsorted(series.timestamps[first:last], time, side=side))


@beside_latest
def rewrites(tx: Tx, run: int, arrived: Mapping[int, Series]) -> list[Rewrite]:
    """What has to be written so that blocks hold these points too; each series is in order.

    A block that cannot be read stays as it is.
    """
    plans: list[tuple[int, Segment, bool]] = []
    known = _reached(tx, run, arrived)
    for key, series in arrived.items():
        parts = list(segments(known.get(key, ()), series))
        for place, part in enumerate(parts):
            if part.arrived:
                before = parts[place - 1] if place else None
                plans.append((key, _grown(part, before), place < len(parts) - 1))
    old = read(tx, [head.id for _, part, _ in plans for head in part.blocks])
    found = []
    for key, part, even in plans:
        replaced = [head.id for head in part.blocks if head.id in old]
        points = Series.union([*(old[id_] for id_ in replaced), arrived[key][part.start : part.end]])
        found.append(Rewrite(key, replaced, points, even))
    return found


def _reached(tx: Tx, run: int, arrived: Mapping[int, Series]) -> dict[int, list[Head]]:
    """The blocks of each key that arrived points may fall into, and the one before them: a long run has many more."""
    if not arrived:
        return {}
    low = min(int(series.steps[0]) for series in arrived.values())
    begins = _table.c.first_step
    mine = (_table.c.run == run, begins < low, among(_table.c.key, arrived))
    # A block that begins before this one ends at its first step at the latest, and so before all that has arrived.
    nearest = dict.fromkeys(arrived, INT64_MIN)
    nearest |= dict(map(tuple, tx.execute(select(_table.c.key, func.max(begins)).where(*mine).group_by(_table.c.key))))
    alike: dict[int, list[int]] = {}
    for key, step in nearest.items():
        alike.setdefault(step, []).append(key)
    found: dict[int, list[Head]] = {}
    for step, keys in alike.items():
        found |= heads(tx, run, keys, step)
    return found


def _grown(part: Segment, before: Segment | None) -> Segment:
    """A segment together with those untouched blocks before it that are small, and no larger than what joins them: so a
    point is rewritten as often as its block doubles, and not with every seal."""
    if part.blocks or before is None or before.arrived:
        return part
    first, points = len(before.blocks), part.arrived
    while first and before.blocks[first - 1].points < min(SMALL_POINTS, points + 1):
        first -= 1
        points += before.blocks[first].points
    return Segment(before.blocks[first:], part.start, part.end)


def pack(run: int, changed: Sequence[Rewrite]) -> Packed:
    """The new blocks, compressed. Needs no transaction."""
    packer = Packer()
    pieces = [(change.key, series) for change in changed for series in _cut(change)]
    made = [
        (_row(run, key, series, reach, packer), rows.summarize(series))
        for (key, series), reach in zip(pieces, _reaches([series for _, series in pieces]), strict=True)
    ]
    return Packed([id_ for change in changed for id_ in change.replaced], made)


def replace(tx: Tx, packed: Packed) -> bool:
    """Writes new blocks in the place of old ones; False if somebody else has replaced one of them already."""
    for part in chunks(packed.replaced):
        if tx.change(delete(_table).where(_table.c.id.in_(part))).rowcount != len(part):
            return False
    tx.insert_rows(_insert, _COLUMNS, [row for row, summary in packed.blocks if summary is None])
    for row, summary in packed.blocks:
        if summary is not None:
            id_ = tx.change(_insert, dict(zip(_COLUMNS, row, strict=True))).inserted_primary_key[0]
            tx.insert_rows(_insert_summary, ("block", "data"), [(id_, summary)])
    return True


def _cut(change: Rewrite) -> list[Series]:
    points = len(change.points)
    if points <= BLOCK_POINTS:
        return [change.points]
    count = -(-points // BLOCK_POINTS)
    size = -(-points // count) if change.even else BLOCK_POINTS
    return [change.points[start : start + size] for start in range(0, points, size)]


def _reaches(pieces: Sequence[Series]) -> Iterator[_Reach]:
    """The reach of each piece. Those that are short are looked at together: of a thousand short series, numpy's calls
    for each would take longer than their points."""
    together: list[Series] = []
    points = 0
    for piece in pieces:
        together.append(piece)
        points += len(piece)
        if points >= BLOCK_POINTS:
            yield from _reached_together(together)
            together, points = [], 0
    yield from _reached_together(together)


def _reached_together(pieces: Sequence[Series]) -> Iterator[_Reach]:
    if not pieces:
        return iter(())
    whole = Series.concat(pieces)
    sizes = [len(piece) for piece in pieces]
    starts = np.cumsum([0, *sizes[:-1]])
    ordinals = ordinal.encode_array(whole.values)
    low, high = np.minimum.reduceat(ordinals, starts).tolist(), np.maximum.reduceat(ordinals, starts).tolist()
    if ordinal.NAN in high:  # it sorts above all numbers
        high = np.maximum.reduceat(np.where(ordinals == ordinal.NAN, INT64_MIN, ordinals), starts).tolist()
    least, greatest = (each.reduceat(whole.timestamps, starts).tolist() for each in (np.minimum, np.maximum))
    return map(_Reach, least, greatest, low, high)


def _row(run: int, key: int, series: Series, reach: _Reach, packer: Packer) -> tuple[Any, ...]:
    steps, times = series.steps, series.timestamps
    ends = (int(steps[0]), int(steps[-1]), int(times[0]), int(times[-1]))
    numbers = (None, None) if reach.low == ordinal.NAN else (reach.low, reach.high)
    return run, key, len(series), *ends, reach.min_time, reach.max_time, *numbers, packer.block(series)
