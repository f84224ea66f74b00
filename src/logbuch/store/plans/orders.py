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
from logbuch.store.plans.conditions import artifact_uri
from logbuch.store.query.paging import Order, SortKey

_RUNS = select(schema.runs)
NEWEST_FIRST = OrderBy(Key(Kind.ATTRIBUTE, "start_time"), ascending=False)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The tables that an order reads, the order, and what binds the tables beyond their joins."""

    source: Any
    order: Order
    bound: ColumnElement[bool]

    def select(self, condition: ColumnElement[bool]) -> Select[Any]:
        """The rows of runs of which a condition holds, with what tokens are made of."""
        chosen = _RUNS.add_columns(*self.order.columns()).select_from(self.source)
        return chosen.where(self.bound, condition)

    def count(self, condition: ColumnElement[bool]) -> Select[Any]:
        """The number of those rows."""
        return select(func.count()).select_from(self.source).where(self.bound, condition)


def ordered(
    ids: Mapping[str, int], wanted: Sequence[OrderBy], *, by_size: bool, experiment: int | None = None
) -> Ordered:
    """An order of runs; ties go to the newest run, then to the id. ``ids`` are those of the keys that were ever logged.

    With ``experiment`` the first field must be a metric: its numbers in that experiment lead, by the value index.
    """
    source: Any = schema.runs
    keys: list[SortKey] = []
    bound: ColumnElement[bool] = literal(True)
    for place, field in enumerate(wanted):
        if field.key.kind is Kind.ATTRIBUTE:
            keys += _attribute_keys(field)
            continue
        id_ = ids.get(field.key.name, -1)
        tables = {Kind.METRIC: schema.latest, Kind.PARAM: schema.params, Kind.TAG: schema.tags}
        table = tables[field.key.kind].alias()
        if experiment is not None and place == 0:
            source = table.join(schema.runs, schema.runs.c.id == table.c.run)
            bound = (table.c.experiment == experiment) & (table.c.key == id_) & (table.c.value < ordinal.NAN)
            keys += [SortKey(literal(0), constant=True), SortKey(table.c.value, field.ascending)]
            continue
        source = source.outerjoin(table, (table.c.run == schema.runs.c.id) & (table.c.key == id_))
        if by_size and field.key.kind is Kind.PARAM:
            keys += _size_keys(table.c.number, field)
        keys += _value_keys(table.c.value, field)
    if not any(field.key == NEWEST_FIRST.key for field in wanted):
        keys.append(SortKey(schema.runs.c.start_time, False))
    keys.append(SortKey(schema.runs.c.run_id))
    return Ordered(source, Order(keys, repr((wanted, by_size))), bound)


def _value_keys(column: Any, field: OrderBy) -> list[SortKey]:
    """Numbers, then NaN, then what is absent: in both directions."""
    if field.key.kind is Kind.METRIC:
        return _size_keys(column, field)
    rank = case((column.is_(None), 1), else_=0)
    return [SortKey(rank), SortKey(func.coalesce(column, ""), field.ascending)]


def _size_keys(column: Any, field: OrderBy) -> list[SortKey]:
    """Numbers by size, then NaN, then whatever is no number."""
    rank = case((column.is_(None), 2), (column == ordinal.NAN, 1), else_=0)
    return [SortKey(rank), SortKey(func.coalesce(column, 0), field.ascending)]


def _attribute_keys(field: OrderBy) -> list[SortKey]:
    name, table = field.key.name, schema.runs.c
    if name == "end_time":
        absent = case((table.end_time.is_(None), 1), else_=0)
        return [SortKey(absent), SortKey(func.coalesce(table.end_time, 0), field.ascending)]
    if name == "status":
        places = {word: place for place, word in enumerate(sorted((*RunStatus, LOST)))}
        lost = and_(table.status == RunStatus.RUNNING.wire, table.lost_time.is_not(None))
        ranks = [(table.status == status.wire, places[status]) for status in RunStatus]
        return [SortKey(case((lost, places[LOST]), *ranks, else_=literal(0, Integer)), field.ascending)]
    if name == "artifact_uri":
        return [SortKey(artifact_uri(), field.ascending)]
    columns = {"run_name": table.name, "experiment_id": table.experiment}
    return [SortKey(columns[name] if name in columns else table[name], field.ascending)]
