"""The table of groups: their order, and one page of them.

All groups are known whenever one page is asked for, so a page is cut out of them; its token names the last group, so
that groups which come or go between two pages move no other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import literal

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.filter import Key, Kind
from logbuch.store import params
from logbuch.store.grouping import statistics
from logbuch.store.grouping.groups import GroupQuery, Groups, Measure, Summary, find, parse_key, parse_measure
from logbuch.store.metrics import ordinal
from logbuch.store.query.paging import Order, SortKey
from logbuch.store.tx import Tx

RUNS = "runs"
AGGREGATES = (*statistics.NAMES, "missing")
_CLAUSE = re.compile(r"(.+?)(?:\s+(asc|desc))?\s*", re.IGNORECASE | re.DOTALL)
_AGGREGATE = re.compile(rf"({'|'.join(AGGREGATES)})\((.+)\)", re.DOTALL)

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the groups: ``places`` are their numbers in ``groups``, in the asked-for order."""

    groups: Groups
    places: Places
    next_page_token: str | None


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of the order: a group key, or an aggregate of a measure, or else the number of runs."""

    key: Key | None = None
    measure: Measure | None = None
    aggregate: str = RUNS
    ascending: bool = True


@dataclass(frozen=True, slots=True)
class _Column:
    """What is sorted by, an entry a group."""

    values: NDArray[np.int64] | Sequence[str]
    ascending: bool = True

    def ranks(self) -> NDArray[np.int64]:
        """Whole numbers that ascend in this column's direction."""
        if isinstance(self.values, np.ndarray):
            numbers = self.values
        else:
            places = {text: place for place, text in enumerate(sorted(set(self.values)))}
            numbers = np.array([places[text] for text in self.values], np.int64)
        return numbers if self.ascending else ~numbers

    def compared(self, value: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which groups lie beyond a value, and which have it."""
        column = self.values if isinstance(self.values, np.ndarray) else np.array(self.values, object)
        beyond = column > value if self.ascending else column < value
        return beyond.astype(np.bool_), (column == value).astype(np.bool_)


def page(tx: Tx, query: GroupQuery, order_by: Sequence[str], max_results: int | None, page_token: str = "") -> Page:
    """One page of the groups, or all of them. They are ordered by ``order_by``, then by the values of their keys."""
    if max_results is not None:
        limits.check_page_size(max_results, "max_results", limits.GROUPS_PER_PAGE)
    fields = _fields(query, order_by)
    groups = find(tx, query)
    columns = [column for field in fields for column in _columns(groups, query, field)]
    order = Order([SortKey(literal(_example(column))) for column in columns], repr(fields))
    places = np.lexsort([column.ranks() for column in reversed(columns)]) if columns else np.arange(len(groups))
    if page_token:
        places = places[_after(columns, order.values(page_token), len(groups))[places]]
    if max_results is None or len(places) <= max_results:
        return Page(groups, places, None)
    return Page(groups, places[:max_results], order.token(_row(columns, int(places[max_results - 1]))))


def aggregate(summary: Summary, name: str) -> NDArray[Any]:
    """One of :data:`AGGREGATES` of a measure, an entry a group; NaN where there is no such number."""
    column: NDArray[Any] = summary.missing if name == "missing" else getattr(summary.numbers, name)
    return column


# -- the order --------------------------------------------------------------------------------------------------------


def _fields(query: GroupQuery, clauses: Sequence[str]) -> list[_Field]:
    if len(clauses) > limits.ORDER_BY_CLAUSES:
        raise InvalidInput(f"'order_by' has {len(clauses)} clauses; at most {limits.ORDER_BY_CLAUSES} are allowed.")
    return [*(_field(query, clause) for clause in clauses), *(_Field(key) for key in query.by)]


def _field(query: GroupQuery, clause: str) -> _Field:
    # A key may itself end in a word such as desc: what is there as a whole is meant as a whole.
    match = _CLAUSE.fullmatch(clause)
    split = (match[1], (match[2] or "asc").lower() == "asc") if match else (clause, True)
    for name, ascending in ((clause, True), split):
        if name == RUNS:
            return _Field(ascending=ascending)
        parts = _AGGREGATE.fullmatch(name)
        if parts and parse_measure(parts[2]) in query.measures:
            return _Field(None, parse_measure(parts[2]), parts[1], ascending)
        if (key := _own_key(query, name)) is not None:
            return _Field(key, ascending=ascending)
    raise InvalidInput(
        f"Invalid value {limits.clip(clause)!r} for parameter 'order_by': groups are ordered by a key of 'by', by "
        f"runs, or by an aggregate of one of 'metrics', as in mean(KEY) DESC. Aggregates are {', '.join(AGGREGATES)}."
    )


def _own_key(query: GroupQuery, name: str) -> Key | None:
    try:
        key = parse_key(name)
    except InvalidInput:
        return None
    return key if key in query.by else None


def _columns(groups: Groups, query: GroupQuery, field: _Field) -> list[_Column]:
    """What a field sorts by. What is absent comes last in both directions."""
    if field.key is not None:
        return _key_columns(field.key, groups.values[query.by.index(field.key)], field.ascending)
    if field.measure is None:
        return [_Column(groups.runs, field.ascending)]
    numbers = aggregate(groups.summaries[query.measures.index(field.measure)], field.aggregate)
    if numbers.dtype != np.float64:
        return [_Column(numbers, field.ascending)]
    return _ranked(ordinal.encode_array(numbers), np.isnan(numbers).astype(np.int64), field.ascending)


def _key_columns(key: Key, values: Sequence[str | None], ascending: bool) -> list[_Column]:
    """Params that are numbers by size, then NaN, then texts by code points, as in the table of runs."""
    texts = _Column([value or "" for value in values], ascending)
    absent = np.array([value is None for value in values], np.int64)
    if key.kind is not Kind.PARAM:
        return [_Column(absent), texts]
    numbers = [None if value is None else params.as_number(value) for value in values]
    rank = np.array([2 if number is None else int(number == ordinal.NAN) for number in numbers], np.int64)
    return [*_ranked(np.array([number or 0 for number in numbers], np.int64), rank + absent, ascending), texts]


def _ranked(numbers: NDArray[np.int64], rank: NDArray[np.int64], ascending: bool) -> list[_Column]:
    return [_Column(rank), _Column(np.where(rank == 0, numbers, 0), ascending)]


# -- pages ------------------------------------------------------------------------------------------------------------


def _example(column: _Column) -> int | str:
    return 0 if isinstance(column.values, np.ndarray) else ""


def _row(columns: Sequence[_Column], place: int) -> Any:
    """A group's values of the order, as a row of the database would show them."""
    values = [column.values[place] for column in columns]
    return SimpleNamespace(
        **{f"sort_{index}": value if isinstance(value, str) else int(value) for index, value in enumerate(values)}
    )


def _after(columns: Sequence[_Column], values: Sequence[Any], groups: int) -> NDArray[np.bool_]:
    """Which groups come after the one with these values of the order."""
    after, equal = np.zeros(groups, np.bool_), np.ones(groups, np.bool_)
    for column, value in zip(columns, values, strict=True):
        beyond, same = column.compared(value)
        after |= equal & beyond
        equal &= same
    return after
