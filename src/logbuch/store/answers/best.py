"""Which run was best, and is its lead larger than the noise of the seeds?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, and_, func, select, true

from logbuch import limits
from logbuch.answers import Best, Group, Reading, configuration, direction, main_metric
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Param, RunStatus, ViewType
from logbuch.store import experiments, params, schema, search, texts
from logbuch.store.grouping.statistics import of_groups, student_tails
from logbuch.store.metrics import ordinal
from logbuch.store.search import RunQuery
from logbuch.store.tx import Tx

LOOKED_AT = 500
"""Runs from the best on among which the runner-up's configuration is sought."""
SAMPLE = 200
"""Runs whose metrics are looked at where none was named."""
MOST_PARAMS = 40
"""Params by which replicates are sought in the whole experiment; what is found is compared in all of them."""
_latest, _runs, _params = schema.latest, schema.runs, schema.params
_INFINITE = (ordinal.NAN, ordinal.INFINITY, ordinal.NEGATIVE_INFINITY)


def best(
    tx: Tx,
    experiment_id: str,
    metric: str | None = None,
    filter: str = "",  # noqa: A002
    lower: bool | None = None,
    reading: Reading = Reading.LAST,
) -> Best:
    """The best finished run that a filter finds; by the main metric where none is named.

    NotFound where no finished run has a finite value; InvalidInput where nothing tells the direction.
    """
    experiment = experiments.get(tx, experiment_id)
    key = limits.check_key(metric, "metric") if metric else _main(tx, experiment_id, filter)
    is_lower = direction(key, experiment.tags) if lower is None else lower
    if is_lower is None and tx.known_names([key]):
        raise InvalidInput(
            f"The name of the metric {limits.clip(key)!r} does not tell whether lower or higher is better: say so."
        )
    ranking = _Ranking(tx, experiment_id, key, filter, is_lower or False, reading)
    first = ranking.top(LOOKED_AT)
    if is_lower is None or not first:
        raise NotFound(f"No finished run of experiment {experiment_id} has a finite value of {limits.clip(key)!r}.")
    leader, *others = _by_configuration(tx, first)
    winner = ranking.replicates(*leader)
    rival = ranking.replicates(*others[0]) if others else None
    p_value, reason = _welch(winner, rival)
    return Best(
        metric=key,
        lower=is_lower,
        reading=reading,
        runs=ranking.count(),
        best=winner,
        runner_up=rival,
        p_value=p_value,
        reason=reason,
    )


def _main(tx: Tx, experiment_id: str, filter_: str) -> str:
    """The main metric of the newest finished runs."""
    query = RunQuery((experiment_id,), _finished(filter_), ("attributes.start_time DESC",))
    rows, _ = search.page(tx, query, SAMPLE)
    mine = _latest.c.run.in_([row.id for row in rows])
    counts = tx.execute(select(_latest.c.key, func.count()).where(mine).group_by(_latest.c.key)).all()
    names = tx.texts(key for key, _ in counts)
    found = main_metric({names[key]: count for key, count in counts})
    if found is None:
        raise NotFound(f"No finished run of experiment {experiment_id} has a metric.")
    return found


def _finished(filter_: str) -> str:
    finished = f"attributes.status = '{RunStatus.FINISHED}'"
    return f"({filter_}) AND {finished}" if filter_.strip() else finished


class _Ranking:
    """The finished runs with a finite value of a metric, best first."""

    def __init__(self, tx: Tx, experiment_id: str, key: str, filter_: str, lower: bool, reading: Reading) -> None:
        self._tx, self._lower = tx, lower
        column = _latest.c.value
        if reading is Reading.BEST:
            column = _latest.c.min if lower else _latest.c.max
        self._column = column
        known = tx.known_names([key]).get(key, -1)
        condition = search.condition(tx, RunQuery((experiment_id,), _finished(filter_), view=ViewType.ACTIVE_ONLY))
        self._none = condition is None
        self._where = and_(
            _latest.c.experiment == experiments.inner_id(experiment_id),
            _latest.c.key == known,
            column.is_not(None),
            column.not_in(_INFINITE),
            true() if condition is None else condition,
        )
        self._from = _latest.join(_runs, _runs.c.id == _latest.c.run)

    def top(self, limit: int) -> list[Row[Any]]:
        """The first so many: inner id, run ID, name and value."""
        order = self._column.asc() if self._lower else self._column.desc()
        return self._rows(limit=limit, order=order)

    def count(self) -> int:
        query = select(func.count()).select_from(self._from).where(self._where)
        return 0 if self._none else int(self._tx.execute(query).scalar() or 0)

    def replicates(self, wanted: frozenset[tuple[str, str]], known: Sequence[Row[Any]]) -> Group:
        """All runs of a configuration; ``known`` are those of them that are known already."""
        ids = self._tx.known_names([key for key, _ in wanted])
        same = [
            select(_params.c.run)
            .where(_params.c.run == _runs.c.id, _params.c.key == ids.get(key, -1), _params.c.value == value)
            .exists()
            for key, value in sorted(wanted)[:MOST_PARAMS]
        ]
        # Of runs without params nothing tells which belong together; each stands alone.
        rows = self._rows(*same, limit=LOOKED_AT) if same else known[:1]
        mine = (
            [group for group in _by_configuration(self._tx, rows) if group[0] == wanted] if same else [(wanted, rows)]
        )
        return _group(mine[0][1] if mine else known, self._lower)

    def _rows(self, *more: Any, limit: int, order: Any = None) -> list[Row[Any]]:
        if self._none:
            return []
        columns = (_runs.c.id, _runs.c.run_id, _runs.c.name, self._column.label("value"))
        query = select(*columns).select_from(self._from).where(self._where, *more).limit(limit)
        if order is not None:
            query = query.order_by(order, _runs.c.id)
        return list(self._tx.execute(query).all())


def _by_configuration(tx: Tx, rows: Sequence[Row[Any]]) -> list[tuple[frozenset[tuple[str, str]], list[Row[Any]]]]:
    """The rows in groups of equal params but for the seed, in the order of each group's first."""
    read = params.OF_RUNS.fetch(tx, [row.id for row in rows])
    values = texts.nouns(read, tx.texts(set(read[1])), Param)
    found: dict[Any, list[Row[Any]]] = {}
    for row in rows:
        same = configuration(values.get(row.id, ()))
        found.setdefault(same or row.id, []).append(row)
    return [(key if isinstance(key, frozenset) else frozenset(), own) for key, own in found.items()]


def _group(rows: Sequence[Row[Any]], lower: bool) -> Group:
    decoded = sorted(((ordinal.decode(row.value), row) for row in rows), key=lambda pair: pair[0], reverse=not lower)
    values = np.array([value for value, _ in decoded])
    found = of_groups(values, np.zeros(len(values), np.intp), 1)
    numbers = {name: _known(getattr(found, name)[0]) for name in ("std", "low", "high")}
    return Group(
        run_ids=tuple(row.run_id for _, row in decoded),
        names=tuple(row.name for _, row in decoded),
        values=tuple(values.tolist()),
        mean=float(found.mean[0]),
        **(numbers if len(values) > 1 else {}),
    )


def _known(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _welch(one: Group, other: Group | None) -> tuple[float | None, str | None]:
    """Welch's unequal variances t-test (Welch 1947, Satterthwaite's degrees of freedom): its p-value, or why not."""
    if other is None:
        return None, "there is no other configuration"
    single = [name for name, group in (("best", one), ("runner-up", other)) if len(group.values) < 2]
    if single:
        return None, f"the {' and the '.join(single)} ran with one seed only"
    first, second = ((group.std or 0.0) ** 2 / len(group.values) for group in (one, other))
    if first + second == 0:
        return None, "all seeds gave the same value"
    degrees = (first + second) ** 2 / (first**2 / (len(one.values) - 1) + second**2 / (len(other.values) - 1))
    return student_tails(abs(one.mean - other.mean) / math.sqrt(first + second), degrees), None
