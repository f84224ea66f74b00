"""Erasing runs for good: their rows go at once, and the places of their files are handed to whoever removes these."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, select

from logbuch.errors import InvalidInput
from logbuch.limits import is_run_id
from logbuch.model import Noun
from logbuch.store import artifacts, heads, runs, schema
from logbuch.store.heads import RunRow
from logbuch.store.tx import Tx, chunks

ERASED_AT_ONCE = 20
"""Runs that one transaction should erase: more would hold up other writers, for a run may have thousands of rows."""
_runs, _inputs, _datasets, _refusals = schema.runs, schema.inputs, schema.datasets, schema.refusals


class Erased(Noun, frozen=True, kw_only=True):
    """A run that was erased; its files lie below ``prefix``, which begins at the artifact root."""

    run_id: str
    prefix: str


def erase_runs(tx: Tx, run_ids: Sequence[str]) -> list[Erased]:
    """Removes runs that are marked as deleted, with all that was logged to them, and what no other run refers to.

    Their files are the caller's to remove once this is committed; until then their folders stand in the store, so that
    `logbuch gc` finds them (:func:`logbuch.store.artifacts.doomed`). Runs that do not exist are left out, so that
    erasing again is no error; InvalidInput for a run that is active, and then nothing was changed.
    """
    found = heads.fetch(tx, sorted({run_id for run_id in run_ids if is_run_id(run_id)}))
    rows = sorted(found.values(), key=lambda row: row.id)
    for row in rows:
        if not row.deleted:
            raise InvalidInput(f"The run {row.run_id} is active; only a deleted run can be removed for good.")
    gone = [Erased(run_id=row.run_id, prefix=f"{runs.artifact_folder(tx, row.run_id)}/{row.run_id}") for row in rows]
    for part in chunks(rows):
        _remove(tx, part)
    artifacts.doom(tx, [run.prefix for run in gone])
    tx.gone(row.id for row in rows)
    return gone


def _remove(tx: Tx, rows: Sequence[RunRow]) -> None:
    ids = [row.id for row in rows]
    used = list(tx.execute(select(_inputs.c.dataset).where(_inputs.c.run.in_(ids)).distinct()).scalars())
    tx.change(delete(_refusals).where(_refusals.c.run_id.in_([row.run_id for row in rows])))
    tx.change(delete(_runs).where(_runs.c.id.in_(ids)))  # whatever belongs to a run goes with it, by the schema
    for part in chunks(used):
        alone = ~exists().where(_inputs.c.dataset == _datasets.c.id)
        tx.change(delete(_datasets).where(_datasets.c.id.in_(part), alone))
