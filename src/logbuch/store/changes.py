"""Which runs have changed, since when: the source of everything live.

Every write of a run sets its row's ``version``. A cursor is a number below which nothing new can appear: in SQLite the
next commit, in PostgreSQL the oldest transaction still open, since commits become visible in another order than they
begin. A follower may see a change twice, but misses none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from logbuch.store import schema
from logbuch.store.tx import Pending, Tx, beside_latest, chunks


def flush(tx: Tx, group: Pending) -> None:
    """Writes the group's changes, in the order of run ids so that two writers cannot deadlock."""
    if not group.touched:
        return
    version = tx.seam.version(tx.connection)
    statement = tx.seam.upsert(schema.changes, _newer)
    tx.insert(
        statement,
        [{"run": run, "experiment": group.touched[run], "version": version} for run in sorted(group.touched)],
    )


def _newer(new: Any) -> Mapping[str, Any]:
    return {"version": new.version, "experiment": new.experiment}


@beside_latest
def cursor(tx: Tx) -> int:
    """The cursor of this snapshot."""
    return tx.seam.horizon(tx.connection)


@beside_latest
def since(tx: Tx, position: int, experiments: Sequence[int] = (), runs: Sequence[int] = ()) -> tuple[list[int], int]:
    """The runs that changed at or after a cursor, and the next cursor. Empty filters mean all."""
    table = schema.changes
    query = select(table.c.run).where(table.c.version >= position).order_by(table.c.version)
    if experiments:
        query = query.where(table.c.experiment.in_(list(experiments)))
    parts = [query.where(table.c.run.in_(part)) for part in chunks(list(runs))] if runs else [query]
    return [int(run) for part in parts for run in tx.execute(part).scalars()], cursor(tx)


@beside_latest
def latest(tx: Tx, experiments: Sequence[int], limit: int) -> list[int]:
    """The runs of these experiments that changed last, the newest first."""
    table = schema.changes
    query = select(table.c.run).where(table.c.experiment.in_(list(experiments)))
    return list(tx.execute(query.order_by(table.c.version.desc()).limit(limit)).scalars())
