"""Reading whole series: their blocks, and the points of theirs that are still in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from logbuch.errors import NotFound
from logbuch.store import runs, schema
from logbuch.store.metrics import blocks
from logbuch.store.metrics.blocks import Head, Segment
from logbuch.store.metrics.points import Series, split_arrivals
from logbuch.store.tx import Tx, beside_latest


@dataclass(frozen=True, slots=True)
class Outline:
    """One series without the points of its blocks: its parts in the order of steps, and the points in the log."""

    late: Series
    parts: Sequence[Segment]

    @property
    def heads(self) -> list[Head]:
        return [head for part in self.parts for head in part.blocks]


def find(tx: Tx, run_id: str, key: str) -> tuple[int, int] | None:
    """The inner ids of a run and a key; None if one of them does not exist."""
    try:
        run = runs.row(tx, run_id).id
    except NotFound:
        return None
    id_ = tx.known_names([key]).get(key)
    return None if id_ is None else (run, id_)


def outlines(tx: Tx, run: int, keys: Sequence[int]) -> dict[int, Outline]:
    """The outlines of these keys; keys without points are left out."""
    log = select(schema.arrivals.c.data).where(schema.arrivals.c.run == run).order_by(schema.arrivals.c.id)
    late = split_arrivals(list(tx.execute(log).scalars()), frozenset(keys))
    known = blocks.heads(tx, run, keys)
    found = {}
    for key in keys:
        if key in late or key in known:
            series = late[key].ordered() if key in late else Series.empty()
            found[key] = Outline(series, list(blocks.segments(known.get(key, ()), series)))
    return found


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
