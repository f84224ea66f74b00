"""The parts of an order that value indexes give: runs with a number, with NaN, with a text. The rest has no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, literal

from logbuch.filter import And, Compare, Kind, Node, OrderBy
from logbuch.store import schema
from logbuch.store.metrics import ordinal
from logbuch.store.plans.conditions import TABLES, Test
from logbuch.store.plans.orders import Lead, Ordered
from logbuch.store.query.paging import SortKey
from logbuch.store.seam import Seam

_NUMBER, _NAN, _TEXT = 0, 1, 2
"""Ranks of values by size; see :func:`logbuch.store.plans.orders.ordered`."""


def leads(
    ids: Mapping[str, int], field: OrderBy, tests: Sequence[Test], *, by_size: bool, experiment: int, seam: Seam
) -> list[Lead]:
    """What is read of an experiment's runs, one after the other, before those that have no value of the field.

    The field is a metric's last value, a param or a tag, and ``tests`` hold of the values of all runs that are sought.
    Where runs do not differ in a key of the whole order, it is a constant: the index gives the rest in order, and
    tokens fit.
    """
    table = TABLES[field.key.kind].alias()
    ours = and_(table.c.key == ids.get(field.key.name, -1), *(test(table.c) for test in tests))
    if field.key.kind is Kind.METRIC:
        return [_metric(table, field, ours & (table.c.experiment == experiment))]
    source = table.join(schema.runs, schema.runs.c.id == seam.aside(table.c.run))
    ours &= seam.aside(schema.runs.c.experiment) == experiment
    text = [_constant(0), SortKey(table.c.value, field.ascending)]
    parts = seam.indexed_parts(table.c.value)
    if not by_size or field.key.kind is not Kind.PARAM:
        return [Lead(source, ours, text, parts)]
    number = table.c.number
    return [
        Lead(source, ours & (number < ordinal.NAN), [_constant(_NUMBER), SortKey(number, field.ascending), *text]),
        Lead(source, ours & (number == ordinal.NAN), [_constant(_NAN), _constant(ordinal.NAN), *text]),
        Lead(source, ours & number.is_(None), [_constant(_TEXT), _constant(0), *text], parts),
    ]


def by_name(field: OrderBy, seam: Seam) -> Lead:
    """All runs in the order of their names, of which indexes know the experiment and the view."""
    name = schema.runs.c.name
    return Lead(schema.runs, literal(True), [SortKey(name, field.ascending)], seam.indexed_parts(name))


def comparisons(tree: Node | None, field: OrderBy) -> list[Compare]:
    """What a filter demands of the very values that are ordered by: an index need not be read beyond them."""
    terms = tree.terms if isinstance(tree, And) else (tree,)
    return [term for term in terms if isinstance(term, Compare) and term.key == field.key]


def left_over(plain: Ordered, field: OrderBy, *, by_size: bool) -> ColumnElement[bool]:
    """What holds of the runs that no lead reads, in the order of all runs."""
    rank = 2 if by_size and field.key.kind is Kind.PARAM else 0
    left: ColumnElement[bool] = plain.order.keys[rank].column != 0
    return left


def _metric(table: Any, field: OrderBy, ours: ColumnElement[bool]) -> Lead:
    """Runs with a number. The index knows the experiment: to say it of the runs too would tempt the planner."""
    value = table.c.value
    source = table.join(schema.runs, schema.runs.c.id == table.c.run)
    return Lead(source, ours & (value < ordinal.NAN), [_constant(_NUMBER), SortKey(value, field.ascending)])


def _constant(value: int) -> SortKey:
    return SortKey(literal(value), constant=value)
