"""Groups of runs: by params, tags or attributes, with the statistics of metrics in each.

One query reads a row a run, with the group keys and the metric values side by side; everything else happens in columns.
A run without the param or tag belongs to the group whose value is None. Without any key, all runs are one group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, func, literal, select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.filter import RUNS, Key, Kind, equalities
from logbuch.model import RunStatus
from logbuch.store import schema, search
from logbuch.store.grouping import statistics
from logbuch.store.grouping.variety import Variety, variety
from logbuch.store.metrics import ordinal
from logbuch.store.query import tuples
from logbuch.store.tx import Tx

ATTRIBUTES = ("run_name", "status", "user_id", "run_id")
PARTS = {"last": "value", "min": "min", "max": "max"}
"""Which value of a run's metric counts, and the column of :data:`schema.latest` that holds it."""

_KINDS = (Kind.PARAM, Kind.TAG, Kind.ATTRIBUTE)
_MEASURE = re.compile(r"(last|min|max)\((.+)\)", re.DOTALL)
_MISSING = limits.INT64_MAX
"""Stands for "this run has no such metric": no double has this ordinal."""
_ROWS = 500
"""Rows that are read at a time. With more, they leave the processor's cache before they are columns."""

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Measure:
    """One value a run: the ``last``, ``min`` or ``max`` of a metric."""

    key: str
    part: str = "last"


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Which runs, grouped by which keys, and what is summed up: measures, and how much ``texts`` differ."""

    runs: search.RunQuery
    by: Sequence[Key]
    measures: Sequence[Measure] = ()
    texts: Sequence[Key] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The statistics of one measure, and how many runs of each group do not have the metric."""

    numbers: statistics.Statistics
    missing: Codes


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups of a query, in columns. ``values[k][g]`` is what key k is in group g; ``runs`` counts its runs;
    ``summaries`` and ``varieties`` follow the measures and the texts of the query. ``ids`` are the inner ids of all
    runs, ``codes`` their groups."""

    by: Sequence[Key]
    values: Sequence[Sequence[str | None]]
    runs: Codes
    summaries: Sequence[Summary]
    varieties: Sequence[Variety]
    ids: Codes
    codes: Codes

    def __len__(self) -> int:
        return len(self.runs)

    def filter(self, group: int) -> str | None:
        """The search text that finds the runs of a group among those of the query; None where there is no such."""
        return equalities([(key, column[group]) for key, column in zip(self.by, self.values, strict=True)])

    def members(self) -> list[Codes]:
        """The inner ids of each group's runs, ascending."""
        arranged = self.ids[np.lexsort((self.ids, self.codes))]
        return np.split(arranged, np.cumsum(self.runs)[:-1]) if len(self) else []


def parse_keys(names: Sequence[str]) -> list[Key]:
    """Group keys from ``params.KEY``, ``tags.KEY`` and ``attributes.NAME``; InvalidInput for others and repeats."""
    return _parse_all(names, "by", limits.GROUP_KEYS)


def parse_texts(names: Sequence[str]) -> list[Key]:
    """What the variety of is told, named as group keys are."""
    return _parse_all(names, "texts", limits.GROUP_TEXTS)


def _parse_all(names: Sequence[str], field: str, most: int) -> list[Key]:
    if len(names) > most:
        raise InvalidInput(f"'{field}' names {len(names)} keys; at most {most} are allowed.")
    keys = [parse_key(name, field) for name in names]
    _check_unique(keys, names, field)
    return keys


def parse_measures(texts: Sequence[str]) -> list[Measure]:
    """Measures from ``last(KEY)``, ``min(KEY)`` and ``max(KEY)``, or ``KEY`` alone for the last value."""
    if len(texts) > limits.GROUP_METRICS:
        raise InvalidInput(f"'metrics' names {len(texts)} metrics; at most {limits.GROUP_METRICS} are allowed.")
    measures = [parse_measure(text) for text in texts]
    _check_unique(measures, texts, "metrics")
    return measures


def find(tx: Tx, query: GroupQuery) -> Groups:
    """The groups of the runs that the query finds, ordered by nothing in particular."""
    condition = search.condition(tx, query.runs)
    ids, locals_, distinct, ordinals = _Reader(tx, query).read(condition) if condition is not None else _nothing(query)
    keys = len(query.by)
    codes, first = _combined(locals_[:keys], len(ids))
    groups = len(first)
    texts = list(zip(locals_, distinct, strict=True))
    values = [[known[code] for code in local[first].tolist()] for local, known in texts[:keys]]
    runs = np.bincount(codes, minlength=groups)
    summaries = [_summary(column, codes, groups) for column in ordinals]
    varieties = [variety(local, known, codes, groups) for local, known in texts[keys:]]
    return Groups(query.by, values, runs, summaries, varieties, ids, codes)


def parse_key(name: str, field: str = "by") -> Key:
    """One group key; see :func:`parse_keys`."""
    prefix, dot, key = name.partition(".")
    kind = RUNS.prefixes.get(prefix) if dot else Kind.ATTRIBUTE
    if kind is Kind.ATTRIBUTE:
        key = RUNS.canonical(kind, key if dot else name) or ""
    if kind not in _KINDS or not key or (kind is Kind.ATTRIBUTE and key not in ATTRIBUTES):
        raise InvalidInput(
            f"Invalid value {limits.clip(name)!r} for parameter '{field}': "
            f"{'runs are grouped by' if field == 'by' else 'a group has texts of'} params.KEY, tags.KEY or "
            f"attributes.NAME, where NAME is {', '.join(ATTRIBUTES[:-1])} or {ATTRIBUTES[-1]}."
        )
    return Key(kind, key)


def parse_measure(text: str) -> Measure:
    """One measure; see :func:`parse_measures`."""
    match = _MEASURE.fullmatch(text)
    if not text:
        raise InvalidInput("Invalid value '' for parameter 'metrics': write KEY, last(KEY), min(KEY) or max(KEY).")
    return Measure(match[2], match[1]) if match else Measure(text)


def _check_unique(items: Sequence[Any], texts: Sequence[str], field: str) -> None:
    for place, item in enumerate(items):
        if item in items[:place]:
            raise InvalidInput(
                f"Invalid value {limits.clip(texts[place])!r} for parameter '{field}': it is there twice."
            )


# -- reading ----------------------------------------------------------------------------------------------------------

_Columns = tuple[Codes, list[Codes], list[list[str | None]], list[Codes]]
"""Inner ids of runs; for each key and text the codes of its values and the values of the codes; for each measure
ordinals."""


def _nothing(query: GroupQuery) -> _Columns:
    empty = np.empty(0, np.int64)
    keys = [*query.by, *query.texts]
    return empty, [empty] * len(keys), [[] for _ in keys], [empty] * len(query.measures)


class _Reader:
    """Reads all runs of a query in one statement: a join by primary key for each param, tag and metric."""

    def __init__(self, tx: Tx, query: GroupQuery) -> None:
        self._tx = tx
        self._query = query
        self._keys = [*query.by, *query.texts]
        self._source: Any = schema.runs
        texts = [key.name for key in self._keys if key.kind is not Kind.ATTRIBUTE]
        self._names = tx.known_names([*texts, *(measure.key for measure in query.measures)])
        metrics = {key: self._joined(schema.latest, key) for key in dict.fromkeys(one.key for one in query.measures)}
        self._groups = [self._group_column(key) for key in self._keys]
        self._values = [_value_column(metrics[measure.key], measure.part) for measure in query.measures]

    def read(self, condition: Any) -> _Columns:
        statement = select(schema.runs.c.id, *self._groups, *self._values).select_from(self._source).where(condition)
        keys = len(self._groups)
        found: list[dict[Any, int]] = [{} for _ in range(keys)]
        parts: list[list[Codes]] = [[_nothing(self._query)[0]] for _ in range(1 + keys + len(self._values))]
        for rows in tuples.stream(self._tx, statement, _ROWS):
            for place, column in enumerate(zip(*rows, strict=True)):
                known = found[place - 1] if 0 < place <= keys else None
                parts[place].append(np.array(column if known is None else _coded(column, known), np.int64))
        ids, *columns = (np.concatenate(part) for part in parts)
        distinct = [[_text(key, value) for value in values] for key, values in zip(self._keys, found, strict=True)]
        return ids, columns[:keys], distinct, columns[keys:]

    def _joined(self, table: Any, name: str) -> Any:
        own = table.alias()
        key = self._names.get(name, -1)
        self._source = self._source.outerjoin(own, (own.c.run == schema.runs.c.id) & (own.c.key == key))
        return own

    def _group_column(self, key: Key) -> Any:
        if key.kind is Kind.ATTRIBUTE:
            return schema.runs.c["name" if key.name == "run_name" else key.name]
        return self._joined(schema.params if key.kind is Kind.PARAM else schema.tags, key.name).c.value


def _value_column(table: Any, part: str) -> Any:
    """Never NULL. A metric of which only NaN was logged has no least and no greatest value: they are NaN too."""
    absent = case((table.c.run.is_(None), literal(_MISSING)), else_=literal(ordinal.NAN))
    return func.coalesce(table.c[PARTS[part]], absent)


def _coded(column: Sequence[Any], known: dict[Any, int]) -> list[int]:
    """The number of each value, in the order of their first appearance."""
    return [known.setdefault(value, len(known)) for value in column]


def _text(key: Key, value: Any) -> str | None:
    if key == Key(Kind.ATTRIBUTE, "status"):
        return RunStatus.from_wire(value).value
    # To the search language an attribute that is empty is one that is absent.
    return None if value is None or (key.kind is Kind.ATTRIBUTE and value == "") else str(value)


# -- grouping ---------------------------------------------------------------------------------------------------------


def _combined(locals_: Sequence[Codes], runs: int) -> tuple[Codes, Codes]:
    """The number of each run's group, and for each group the place of one of its runs."""
    codes, first = np.zeros(runs, np.int64), np.zeros(min(runs, 1), np.int64)
    for local in locals_:
        # Numbered anew after every key, so that products stay far below 63 bits.
        codes = codes * (int(local.max(initial=0)) + 1) + local
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    return codes, first


def _summary(ordinals: Codes, codes: Codes, groups: int) -> Summary:
    present = ordinals != _MISSING
    numbers = statistics.of_groups(ordinal.decode_array(ordinals[present]), codes[present], groups)
    return Summary(numbers, np.bincount(codes[~present], minlength=groups))
