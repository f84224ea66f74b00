"""The keys that runs have logged: what the page offers as columns, and completes in the filter bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, not_, select

from logbuch.model import Noun
from logbuch.store import schema
from logbuch.store.experiments import inner_id
from logbuch.store.query import tuples
from logbuch.store.query.among import among
from logbuch.store.tx import Tx

DISTINCT_VALUES = 20
MOST = 2


class KeyUse(Noun, frozen=True, kw_only=True):
    """How many runs have a key; for params and tags also how many values, and the commonest of them."""

    key: str
    runs: int
    distinct: int | None = None
    values: list[str] | None = None


class Keys(Noun, frozen=True, kw_only=True):
    """What a set of runs has logged, the keys of most runs first."""

    runs: int
    metrics: list[KeyUse]
    params: list[KeyUse]
    tags: list[KeyUse]

    def with_new(self, other: Keys) -> Keys:
        """These, and the keys of others that are not among them."""
        kinds = {kind: _joined(getattr(self, kind), getattr(other, kind)) for kind in ("metrics", "params", "tags")}
        return Keys(runs=self.runs, **kinds)


def of_experiments(tx: Tx, experiment_ids: Sequence[str]) -> Keys:
    """The keys of all active runs of these experiments."""
    ids = [inner_id(id_) for id_ in experiment_ids]
    runs, latest, params, tags = schema.runs.c, schema.latest.c, schema.params.c, schema.tags.c
    ours = runs.experiment.in_(ids) & runs.deleted.is_(False)
    count = int(tx.execute(select(func.count()).where(ours)).scalar_one())
    # Metrics are counted in their value index, which begins with the experiment; what was deleted is left out.
    deleted = select(runs.id).where(runs.experiment.in_(ids), runs.deleted.is_(True))
    logged: Any = latest.experiment.in_(ids)
    if tx.execute(deleted.limit(1)).first() is not None:
        logged &= latest.run.not_in(deleted)
    # Where most runs are ours, params and tags are counted in the order of their indexes, without the few others.
    if count * MOST > int(tx.execute(select(func.coalesce(func.max(runs.id), 0))).scalar_one()):
        others = select(runs.id).where(not_(ours))
        return _of(tx, count, logged, params.run.not_in(others), tags.run.not_in(others))
    wanted = select(runs.id).where(ours)
    return _of(tx, count, logged, params.run.in_(wanted), tags.run.in_(wanted))


def count_runs(tx: Tx, experiment_ids: Sequence[str]) -> int:
    """How many active runs these experiments have."""
    return int(tx.execute(select(func.count()).where(_active(experiment_ids))).scalar_one())


def estimate(tx: Tx, experiment_ids: Sequence[str], runs: int, sample: int) -> Keys:
    """The keys of the newest ``sample`` active runs of these experiments, with numbers of uses scaled to ``runs``."""
    newest = select(schema.runs.c.id).where(_active(experiment_ids)).order_by(schema.runs.c.start_time.desc())
    ids = [int(id_) for id_ in tx.execute(newest.limit(sample)).scalars()]
    found = of_runs(tx, ids)
    scale = runs / max(1, len(ids))
    kinds = {
        kind: [msgspec.structs.replace(use, runs=round(use.runs * scale)) for use in getattr(found, kind)]
        for kind in ("metrics", "params", "tags")
    }
    return Keys(runs=runs, **kinds)


def _active(experiment_ids: Sequence[str]) -> Any:
    runs = schema.runs.c
    return runs.experiment.in_([inner_id(id_) for id_ in experiment_ids]) & runs.deleted.is_(False)


def of_runs(tx: Tx, runs: Sequence[int]) -> Keys:
    """The keys of these runs."""
    wanted = select(schema.runs.c.id).where(among(schema.runs.c.id, runs))
    count = int(tx.execute(select(func.count()).select_from(wanted.subquery())).scalar_one())
    return _of(tx, count, *(table.c.run.in_(wanted) for table in (schema.latest, schema.params, schema.tags)))


def _of(tx: Tx, runs: int, of_metrics: Any, of_params: Any, of_tags: Any) -> Keys:
    latest = schema.latest.c
    uses = tx.execute(select(latest.key, func.count()).where(of_metrics).group_by(latest.key)).all()
    texts = tx.texts(key for key, _ in uses)
    return Keys(
        runs=runs,
        metrics=_by_use([KeyUse(key=texts[key], runs=uses_) for key, uses_ in uses]),
        params=_text_keys(tx, schema.params, of_params),
        tags=_text_keys(tx, schema.tags, of_tags),
    )


def _text_keys(tx: Tx, table: Any, wanted: Any) -> list[KeyUse]:
    query = (
        select(table.c.key, table.c.value, func.count())
        .where(wanted)
        .group_by(table.c.key, table.c.value)
        .order_by(table.c.key, func.count().desc(), table.c.value)
    )
    seen: dict[int, tuple[int, list[str]]] = {}
    totals: dict[int, int] = {}
    for rows in tuples.stream(tx, query, 5000):
        for key, value, count in rows:
            distinct, commonest = seen.get(key, (0, []))
            if len(commonest) < DISTINCT_VALUES:
                commonest.append(value)
            seen[key] = (distinct + 1, commonest)
            totals[key] = totals.get(key, 0) + count
    texts = tx.texts(seen)
    return _by_use(
        [
            KeyUse(key=texts[key], runs=totals[key], distinct=distinct, values=commonest)
            for key, (distinct, commonest) in seen.items()
        ]
    )


def _by_use(uses: list[KeyUse]) -> list[KeyUse]:
    return sorted(uses, key=lambda use: (-use.runs, use.key))


def _joined(known: list[KeyUse], other: list[KeyUse]) -> list[KeyUse]:
    names = {use.key for use in known}
    return known + [use for use in other if use.key not in names]
