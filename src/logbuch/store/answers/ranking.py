"""The runs that have a finite value of a metric, in the order of how good they are by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, false, select

from logbuch.answers import SMOOTHING, Reading
from logbuch.store import experiments, params, schema, search
from logbuch.store.answers.criterion import Criterion
from logbuch.store.metrics import charts, ordinal
from logbuch.store.metrics.buckets import COLUMNS, View
from logbuch.store.query import columns
from logbuch.store.query.among import among
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
    """The runs of a search by a criterion, the best first: the ids and values of all of them are read at once, in two
    columns; names only of those that are asked for."""

    def __init__(self, tx: Tx, query: RunQuery, by: Criterion) -> None:
        self._tx, self._by = tx, by
        self._key = tx.known_names([by.metric]).get(by.metric, -1)
        column = _latest.c.value
        if by.reading is not Reading.LAST:
            # No moving average is better than the best value that is in it: it is the bound of those that are smoothed.
            column = _latest.c.min if by.lower else _latest.c.max
        condition = search.condition(tx, query)
        self._where = and_(
            _latest.c.experiment.in_([experiments.inner_id(id_) for id_ in query.experiment_ids]),
            _latest.c.key == self._key,
            column.is_not(None),
            column.not_in(_INFINITE),
            false() if condition is None else condition,
        )
        self._from = _latest.join(_runs, _runs.c.id == _latest.c.run)
        rows = select(_latest.c.run, column.label("number")).select_from(self._from).where(self._where)
        ids, numbers = (np.array(found, np.int64) for found in columns.fetch(tx, rows))
        order = np.lexsort((ids, numbers if by.lower else ~numbers))
        self._ids, self._values = ids[order], ordinal.decode_array(numbers[order])

    def count(self) -> int:
        return len(self._ids)

    def top(self, limit: int, enough: Callable[[Sequence[Ranked]], float | None]) -> tuple[list[Ranked], bool]:
        """The best runs, at least as many as matter, and whether these are surely the best.

        Where runs are read by single values these are the first ``limit``. Moving averages have to be read run by run:
        ``enough`` says of what was read which value a further run must surpass to matter, None while all do.
        """
        if self._by.reading is not Reading.SMOOTHED:
            return self._read(np.arange(min(limit, self.count()))), True
        most = min(self.count(), SMOOTHED)
        found: list[Ranked] = []
        for start in range(0, most, PART):
            following = min(start + PART, most)
            found = self._sorted([*found, *self._read(np.arange(start, following))])
            needed = enough(found)
            if following == self.count() or (needed is not None and not self._better(self._values[following], needed)):
                return found, True
        return found, self.count() <= SMOOTHED

    def same(self, wanted: Sequence[tuple[str, str]], limit: int) -> list[Ranked]:
        """Runs that have all of these params."""
        ids = self._tx.known_names([key for key, _ in wanted])
        conditions = [
            select(_params.c.run)
            .where(_params.c.run == _runs.c.id, _params.c.key == ids.get(key, -1), _params.c.value == value)
            .exists()
            for key, value in wanted
        ]
        query = select(_runs.c.id).select_from(self._from).where(self._where, *conditions).limit(limit)
        return self._read(np.flatnonzero(np.isin(self._ids, self._tx.execute(query).scalars().all())))

    def sample(self, limit: int) -> list[Ranked]:
        """About so many of the runs, spread evenly and always the same, in the order of ids."""
        share = min(_SLOTS, math.ceil(_SLOTS * limit / max(self.count(), 1)))
        places = np.flatnonzero((self._ids * _SCATTER) % _SLOTS < share)
        return self._read(places[np.argsort(self._ids[places])][: 2 * limit])

    def _better(self, one: float, other: float) -> bool:
        return one < other if self._by.lower else one > other

    def _sorted(self, rows: list[Ranked]) -> list[Ranked]:
        return sorted(rows, key=lambda row: row.value if self._by.lower else -row.value)

    def _read(self, places: NDArray[np.intp]) -> list[Ranked]:
        ids, values = self._ids[places].tolist(), self._values[places].tolist()
        query = select(_runs.c.id, _runs.c.run_id, _runs.c.name).where(among(_runs.c.id, ids))
        names = {row.id: row for row in self._tx.execute(query)} if ids else {}
        if self._by.reading is Reading.SMOOTHED:
            values = [smoothed(self._tx, id_, self._key, lower=self._by.lower) for id_ in ids]
        return [
            Ranked(id_, names[id_].run_id, names[id_].name, value)
            for id_, value in zip(ids, values, strict=True)
            if value is not None
        ]


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
