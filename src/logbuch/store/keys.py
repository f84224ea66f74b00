"""The keys that runs have logged: what the page offers as columns, and completes in the filter bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from logbuch.model import Noun
from logbuch.store import schema
from logbuch.store.experiments import inner_id
from logbuch.store.tx import Tx

DISTINCT_VALUES = 20


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
    return _of(tx, select(schema.runs.c.id).where(schema.runs.c.experiment.in_(ids), schema.runs.c.deleted.is_(False)))


def of_runs(tx: Tx, runs: Sequence[int]) -> Keys:
    """The keys of these runs."""
    return _of(tx, select(schema.runs.c.id).where(schema.runs.c.id.in_(list(runs))))


def _of(tx: Tx, runs: Any) -> Keys:
    latest = schema.latest.c
    uses = tx.execute(select(latest.key, func.count()).where(latest.run.in_(runs)).group_by(latest.key)).all()
    texts = tx.texts(key for key, _ in uses)
    return Keys(
        runs=int(tx.execute(select(func.count()).select_from(runs.subquery())).scalar_one()),
        metrics=_by_use([KeyUse(key=texts[key], runs=uses_) for key, uses_ in uses]),
        params=_text_keys(tx, schema.params, runs),
        tags=_text_keys(tx, schema.tags, runs),
    )


def _text_keys(tx: Tx, table: Any, runs: Any) -> list[KeyUse]:
    query = (
        select(table.c.key, table.c.value, func.count())
        .where(table.c.run.in_(runs))
        .group_by(table.c.key, table.c.value)
        .order_by(table.c.key, func.count().desc(), table.c.value)
    )
    seen: dict[int, tuple[int, list[str]]] = {}
    totals: dict[int, int] = {}
    for key, value, count in tx.execute(query):
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
