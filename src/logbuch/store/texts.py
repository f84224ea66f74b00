"""Reading the tables whose rows are a run, a key and a text: params and tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table, select

from logbuch.store import schema
from logbuch.store.tx import Tx, chunks

T = TypeVar("T")


def of_runs(tx: Tx, table: Table, runs: Sequence[int], noun: Callable[..., T]) -> dict[int, list[T]]:
    """For each run its rows as nouns, in the order of their keys."""
    found: dict[int, list[tuple[str, str]]] = {}
    for part in chunks(runs):
        query: Any = (
            select(table.c.run, schema.names.c.name, table.c.value)
            .join(schema.names, schema.names.c.id == table.c.key)
            .where(table.c.run.in_(part))
        )
        for run, key, value in tx.execute(query).all():
            found.setdefault(run, []).append((key, value))
    return {run: [noun(key=key, value=value) for key, value in sorted(pairs)] for run, pairs in found.items()}
