"""The curves of groups of runs: their series are read a few runs at a time, cut at common edges, and summarized."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from logbuch import limits
from logbuch.errors import NotFound
from logbuch.store import runs, schema
from logbuch.store.grouping import aligned
from logbuch.store.grouping.groups import Groups
from logbuch.store.metrics import buckets, charts
from logbuch.store.metrics.buckets import View
from logbuch.store.metrics.rows import Axis
from logbuch.store.tx import Tx, chunks

_RUNS = 50
"""Runs that are read in one snapshot."""

Read = Callable[..., Any]
"""``Store.read``."""


@dataclass(frozen=True, slots=True)
class Member:
    """A run of a group: its inner id and its start in ms."""

    run: int
    origin: int


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: ``table`` has a row a column of :data:`aligned.COLUMNS`; ``runs`` of the group have the metric at all.
    ``x_min`` and ``x_max`` are the extent of the metric in all groups, whatever part of it is shown."""

    group: int
    key: str
    runs: int
    x_min: float
    x_max: float
    table: aligned.Floats


@dataclass(frozen=True, slots=True)
class _Line:
    """A series: its extent, and its thinned bucket table unless that has to wait for the common edges."""

    member: Member
    key: str
    low: float
    high: float
    table: aligned.Floats | None


def members(tx: Tx, groups: Sequence[Sequence[str]]) -> list[list[Member]]:
    """The runs of these groups of run IDs; NotFound names the first that does not exist."""
    wanted = dict.fromkeys(run_id for group in groups for run_id in group)
    found = {row.run_id: Member(row.id, row.start_time) for row in runs.preload(tx, wanted).values()}
    for run_id in wanted:
        if run_id not in found:
            raise NotFound(f"Run with id={limits.clip(run_id)} not found")
    return [[found[run_id] for run_id in dict.fromkeys(group)] for group in groups]


def members_of(tx: Tx, groups: Groups) -> list[list[Member]]:
    """The runs of groups that a query found."""
    table = schema.runs.c
    found: dict[int, Member] = {}
    for part in chunks(groups.ids.tolist()):
        query = select(table.id, table.start_time).where(table.id.in_(part))
        found |= {run: Member(run, origin) for run, origin in tx.execute(query)}
    return [[found[run] for run in part.tolist()] for part in groups.members()]


def draw(
    read: Read, groups: Sequence[Sequence[Member]], keys: Sequence[str], axis: Axis, view: View
) -> Iterator[Curve]:
    """The curves of every key and group that has points in the view, key by key."""
    everyone = list(dict.fromkeys(member for group in groups for member in group))
    lines = list(_lines(read, everyone, keys, axis, view))
    for key in dict.fromkeys(keys):
        own = [line for line in lines if line.key == key]
        if own:
            yield from _curves(read, groups, own, axis, view)


def _curves(
    read: Read, groups: Sequence[Sequence[Member]], lines: Sequence[_Line], axis: Axis, view: View
) -> Iterator[Curve]:
    key, x_min, x_max = lines[0].key, min(line.low for line in lines), max(line.high for line in lines)
    extent = aligned.Extent(
        x_min if view.start is None else view.start,
        x_max if view.end is None else view.end,
    )
    tables = {line.member: line.table for line in lines if line.table is not None}
    late = [line.member for line in lines if line.table is None]
    settled = replace(view, start=extent.low, end=extent.high)
    tables |= {line.member: line.table for line in _lines(read, late, [key], axis, settled) if line.table is not None}
    places = {member: place for place, member in enumerate(tables)}
    chosen = [[places[member] for member in group if member in places] for group in groups]
    found = aligned.tables(list(tables.values()), chosen, extent, view.count)
    for group, (own, table) in enumerate(zip(chosen, found, strict=True)):
        if table.shape[1]:
            yield Curve(group, key, len(own), x_min, x_max, table)


def _lines(read: Read, everyone: Sequence[Member], keys: Sequence[str], axis: Axis, view: View) -> Iterator[_Line]:
    for part in chunks(everyone, _RUNS):
        yield from read(_read, part, keys, axis, view)


def _read(tx: Tx, part: Sequence[Member], keys: Sequence[str], axis: Axis, view: View) -> list[_Line]:
    names = {id_: key for key, id_ in tx.known_names(keys).items()}
    found = []
    for member in part:
        for id_, line in charts.lines(tx, member.run, list(names), axis, view, member.origin).items():
            # With no more rows than buckets no edge is needed: the table is the rows.
            settled = len(line.rows) <= view.count or not (view.start is None or view.end is None)
            table = aligned.thin(buckets.table(line.rows, view, line.low, line.high)) if settled else None
            found.append(_Line(member, names[id_], line.low, line.high, table))
    return found
