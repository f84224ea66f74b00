"""Counting what runs hold, for whoever has moved them and wants to know that all of it is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, func, select

from logbuch.limits import is_run_id
from logbuch.model import Noun
from logbuch.store import heads, schema
from logbuch.store.tx import Tx, chunks


class Census(Noun, frozen=True, kw_only=True):
    """How much of each kind one run holds. Points that wait in the log are counted as they came."""

    params: int = 0
    tags: int = 0
    datasets: int = 0
    points: int = 0


def of_runs(tx: Tx, run_ids: Sequence[str]) -> dict[str, Census]:
    """The counts of those of these runs that exist, by run ID."""
    found: dict[str, Census] = {}
    for part in chunks([run_id for run_id in run_ids if is_run_id(run_id)]):
        rows = heads.fetch(tx, part)
        ids = [row.id for row in rows.values()]
        params, tags = _sums(tx, schema.params.c.run, ids), _sums(tx, schema.tags.c.run, ids)
        datasets = _sums(tx, schema.inputs.c.run, ids)
        late = _sums(tx, schema.arrivals.c.run, ids, func.sum(schema.arrivals.c.points))
        packed = _sums(tx, schema.blocks.c.run, ids, func.sum(schema.blocks.c.points))
        for run_id, row in rows.items():
            found[run_id] = Census(
                params=params.get(row.id, 0),
                tags=tags.get(row.id, 0),
                datasets=datasets.get(row.id, 0),
                points=late.get(row.id, 0) + packed.get(row.id, 0),
            )
    return found


def _sums(tx: Tx, run: Column[Any], ids: Sequence[int], what: Any = None) -> dict[int, int]:
    counted = func.count() if what is None else what
    query = select(run, counted).where(run.in_(ids)).group_by(run)
    return {row[0]: int(row[1]) for row in tx.execute(query)}
