"""The orders of a search of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, func, literal, select

from logbuch.filter import Key, Kind, OrderBy
from logbuch.model import LOST, RunStatus
from logbuch.store import schema
from logbuch.store.metrics import ordinal
from logbuch.store.plans.conditions import PARTS, TABLES, artifact_uri, duration
from logbuch.store.query.paging import Order, SortKey

_RUNS = select(schema.runs)
_Keys = list[SortKey]
NEWEST_FIRST = OrderBy(Key(Kind.ATTRIBUTE, "start_time"), ascending=False)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The tables that an order reads, the order, and what binds the tables beyond their joins."""

    source: Any
    order: Order
    bound: ColumnElement[bool]
    parts: Sequence[ColumnElement[bool]] = ()
    """Where several indexes give the order of a part of the rows each: conditions of which one holds of each row."""

    def page(self, condition: ColumnElement[bool], *, after: bool, skip: bool) -> Select[Any]:
        """A page in this order of the runs of which a condition holds; see :meth:`Order.prepared`."""
        if len(self.parts) < 2:
            return self.order.prepared(self.select(condition), after=after, skip=skip)
        return self.order.merged([self.select(and_(condition, part)) for part in self.parts], after=after, skip=skip)

    def select(self, condition: ColumnElement[bool]) -> Select[Any]:
        """The rows of runs of which a condition holds, with what tokens are made of."""
        chosen = _RUNS.add_columns(*self.order.columns()).select_from(self.source)
        return chosen.where(self.bound, condition)

    def count(self, condition: ColumnElement[bool]) -> Select[Any]:
        """The number of those rows."""
        return select(func.count()).select_from(self.source).where(self.bound, condition)


@dataclass(frozen=True, slots=True)
class Lead:
    """What the first field of an order reads in place of all runs: the join, its condition, and the field's keys."""

    source: Any
    bound: ColumnElement[bool]
    keys: _Keys
    parts: Sequence[ColumnElement[bool]] = ()
    """See :class:`Ordered`."""


def ordered(ids: Mapping[str, int], wanted: Sequence[OrderBy], *, by_size: bool, lead: Lead | None = None) -> Ordered:
    """An order of runs; ties go to the newest run, then to the id. ``ids`` are those of the keys that were ever logged.

    With a ``lead`` it is the order of those runs alone that the lead reads, with the same tokens.
    """
    if lead is None:
        lead = Lead(schema.runs, literal(True), [])
        later = wanted
    else:
        later = wanted[1:]
    source, keys = lead.source, list(lead.keys)
    for field in later:
        if field.key.kind is Kind.ATTRIBUTE:
            keys += _attribute_keys(field)
            continue
        id_ = ids.get(field.key.name, -1)
        table = TABLES[field.key.kind].alias()
        source = source.outerjoin(table, (table.c.run == schema.runs.c.id) & (table.c.key == id_))
        if by_size and field.key.kind is Kind.PARAM:
            keys += _size_keys(table.c.number, field)
        keys += _value_keys(table, field)
    if not any(field.key == NEWEST_FIRST.key for field in wanted):
        keys.append(SortKey(schema.runs.c.start_time, False))
    keys.append(SortKey(schema.runs.c.run_id))
    return Ordered(source, Order(keys, repr((wanted, by_size))), lead.bound, lead.parts)


def _value_keys(table: Any, field: OrderBy) -> _Keys:
    """Numbers, then NaN, then what is absent: in both directions."""
    if field.key.kind is Kind.METRIC:
        return _size_keys(table.c[PARTS[field.key.part]], field)
    rank = case((table.c.value.is_(None), 1), else_=0)
    return [SortKey(rank), SortKey(func.coalesce(table.c.value, ""), field.ascending)]


def _size_keys(column: Any, field: OrderBy) -> _Keys:
    """Numbers by size, then NaN, then whatever is no number."""
    rank = case((column.is_(None), 2), (column == ordinal.NAN, 1), else_=0)
    return [SortKey(rank), SortKey(func.coalesce(column, 0), field.ascending)]


def _attribute_keys(field: OrderBy) -> _Keys:
    name, table = field.key.name, schema.runs.c
    if name in ("end_time", "duration"):
        own = table.end_time if name == "end_time" else duration()
        absent = case((own.is_(None), 1), else_=0)
        return [SortKey(absent), SortKey(func.coalesce(own, 0), field.ascending)]
    if name == "status":
        places = {word: place for place, word in enumerate(sorted((*RunStatus, LOST)))}
        lost = and_(table.status == RunStatus.RUNNING.wire, table.lost_time.is_not(None))
        ranks = [(table.status == status.wire, places[status]) for status in RunStatus]
        return [SortKey(case((lost, places[LOST]), *ranks, else_=literal(0, Integer)), field.ascending)]
    if name == "artifact_uri":
        return [SortKey(artifact_uri(), field.ascending)]
    columns = {"run_name": table.name, "experiment_id": table.experiment}
    return [SortKey(columns[name] if name in columns else table[name], field.ascending)]
