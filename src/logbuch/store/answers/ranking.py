"""The runs that have a finite value of a metric, in the order of how good they are by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Row, and_, func, select, true

from logbuch.answers import SMOOTHING, Reading
from logbuch.store import experiments, params, schema, search
from logbuch.store.answers.criterion import Criterion
from logbuch.store.metrics import charts, ordinal
from logbuch.store.metrics.buckets import COLUMNS, View
from logbuch.store.search import RunQuery
from logbuch.store.tx import Tx

BUCKETS = 2000
"""Places at which a moving average is looked at."""
PART, SMOOTHED = 100, 2000
"""Runs whose moving averages are read at a time, and at most."""
_latest, _runs, _params = schema.latest, schema.runs, schema.params
_INFINITE = (ordinal.NAN, ordinal.INFINITY, ordinal.NEGATIVE_INFINITY)
_SMOOTH = COLUMNS.index("smooth")
_SCATTER, _SLOTS = 40_503, 65_536
"""An odd factor near the golden section of the slots: consecutive ids are scattered evenly (Knuth, TAOCP 6.4)."""


class Ranked(NamedTuple):
    """A run and its value, as the criterion reads it."""

    id: int
    run_id: str
    name: str
    value: float


class Ranking:
    """The runs of a search, by a criterion."""

    def __init__(self, tx: Tx, query: RunQuery, by: Criterion) -> None:
        self._tx, self._by = tx, by
        self._key = tx.known_names([by.metric]).get(by.metric, -1)
        column = _latest.c.value
        if by.reading is not Reading.LAST:
            # No moving average is better than the best value that is in it: it is the bound of those that are smoothed.
            column = _latest.c.min if by.lower else _latest.c.max
        self._column = column
        condition = search.condition(tx, query)
        self._none = condition is None
        self._where = and_(
            _latest.c.experiment.in_([experiments.inner_id(id_) for id_ in query.experiment_ids]),
            _latest.c.key == self._key,
            column.is_not(None),
            column.not_in(_INFINITE),
            true() if condition is None else condition,
        )
        self._from = _latest.join(_runs, _runs.c.id == _latest.c.run)

    def count(self) -> int:
        query = select(func.count()).select_from(self._from).where(self._where)
        return 0 if self._none else int(self._tx.execute(query).scalar() or 0)

    def top(self, limit: int, enough: Callable[[Sequence[Ranked]], float | None]) -> tuple[list[Ranked], bool]:
        """The best runs, at least as many as matter, and whether these are surely the best.

        Where runs are read by single values these are the first ``limit``. Moving averages have to be read run by run:
        ``enough`` says of what was read which value a further run must surpass to matter, None while all do.
        """
        order = self._column.asc() if self._by.lower else self._column.desc()
        if self._by.reading is not Reading.SMOOTHED:
            return self._read(self._rows(limit=limit, order=order)), True
        bounds = self._rows(limit=SMOOTHED + 1, order=order)
        found: list[Ranked] = []
        for start in range(0, min(len(bounds), SMOOTHED), PART):
            found = self._sorted([*found, *self._read(bounds[start : start + PART])])
            following = bounds[start + PART : start + PART + 1]
            needed = enough(found)
            if not following or (needed is not None and not self._better(ordinal.decode(following[0].value), needed)):
                return found, True
        return found, len(bounds) <= SMOOTHED

    def same(self, wanted: Sequence[tuple[str, str]], limit: int) -> list[Ranked]:
        """Runs that have all of these params."""
        ids = self._tx.known_names([key for key, _ in wanted])
        conditions = [
            select(_params.c.run)
            .where(_params.c.run == _runs.c.id, _params.c.key == ids.get(key, -1), _params.c.value == value)
            .exists()
            for key, value in wanted
        ]
        return self._read(self._rows(*conditions, limit=limit))

    def sample(self, runs: int, limit: int) -> list[Ranked]:
        """About so many of the ``runs`` that there are, spread evenly and always the same, in the order of ids."""
        share = min(_SLOTS, math.ceil(_SLOTS * limit / max(runs, 1)))
        scattered = [(_runs.c.id * _SCATTER) % _SLOTS < share] if share < _SLOTS else []
        return self._read(self._rows(*scattered, limit=2 * limit, order=_runs.c.id))

    def _better(self, one: float, other: float) -> bool:
        return one < other if self._by.lower else one > other

    def _sorted(self, rows: list[Ranked]) -> list[Ranked]:
        return sorted(rows, key=lambda row: row.value if self._by.lower else -row.value)

    def _rows(self, *more: Any, limit: int, order: Any = None) -> list[Row[Any]]:
        if self._none:
            return []
        columns = (_runs.c.id, _runs.c.run_id, _runs.c.name, self._column.label("value"))
        query = select(*columns).select_from(self._from).where(self._where, *more).limit(limit)
        if order is not None:
            query = query.order_by(order, _runs.c.id)
        return list(self._tx.execute(query).all())

    def _read(self, rows: Sequence[Row[Any]]) -> list[Ranked]:
        if self._by.reading is not Reading.SMOOTHED:
            return [Ranked(row.id, row.run_id, row.name, ordinal.decode(row.value)) for row in rows]
        values = ((row, smoothed(self._tx, row.id, self._key, lower=self._by.lower)) for row in rows)
        return [Ranked(row.id, row.run_id, row.name, value) for row, value in values if value is not None]


def value_of(tx: Tx, run: int, by: Criterion) -> float | None:
    """How a single run (its inner id), whatever its status, is read; None where that is no finite number."""
    key = tx.known_names([by.metric]).get(by.metric, -1)
    if by.reading is Reading.SMOOTHED:
        return smoothed(tx, run, key, lower=by.lower)
    best = _latest.c.min if by.lower else _latest.c.max
    column = _latest.c.value if by.reading is Reading.LAST else best
    found = tx.execute(select(column).where(_latest.c.run == run, _latest.c.key == key)).scalar()
    value = math.nan if found is None else ordinal.decode(found)
    return value if math.isfinite(value) else None


def smoothed(tx: Tx, run: int, key: int, *, lower: bool) -> float | None:
    """The best of the moving average of a series; None where it has no finite value."""
    found = charts.tables(tx, run, [key], "step", View(BUCKETS, smoothing=SMOOTHING))
    line = found[key].table[_SMOOTH] if key in found else np.empty(0)
    line = line[np.isfinite(line)]
    if not len(line):
        return None
    return float(line.min() if lower else line.max())


def texts_of(tx: Tx, rows: Sequence[Ranked]) -> dict[int, dict[str, str]]:
    """The params of runs, by their inner ids."""
    runs, keys, values = params.OF_RUNS.fetch(tx, [row.id for row in rows])
    names = tx.texts(set(keys))
    found: dict[int, dict[str, str]] = {}
    for run, key, value in zip(runs, keys, values, strict=True):
        found.setdefault(run, {})[names[key]] = value
    return found
