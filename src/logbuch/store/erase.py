"""Erasing runs for good: their rows go at once, and the places of their files are handed to whoever removes these."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, select

from logbuch.errors import InvalidInput
from logbuch.limits import is_run_id
from logbuch.model import Noun
from logbuch.store import artifacts, heads, model_tables, runs, schema
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
    erasing again is no error; InvalidInput for a run that is active or that a registered model was made from, and then
    nothing was changed.
    """
    found = heads.fetch(tx, sorted({run_id for run_id in run_ids if is_run_id(run_id)}))
    rows = sorted(found.values(), key=lambda row: row.id)
    for row in rows:
        if not row.deleted:
            raise InvalidInput(f"The run {row.run_id} is active; only a deleted run can be removed for good.")
    _check_unregistered(tx, rows)
    gone = [Erased(run_id=row.run_id, prefix=f"{runs.artifact_folder(tx, row.run_id)}/{row.run_id}") for row in rows]
    for part in chunks(rows):
        _remove(tx, part)
    artifacts.doom(tx, [run.prefix for run in gone])
    tx.gone(row.id for row in rows)
    return gone


def _check_unregistered(tx: Tx, rows: Sequence[RunRow]) -> None:
    """A version of a model needs its run's files. Who makes one holds the run's row meanwhile, so this waits for it."""
    for part in chunks(rows):
        tx.execute(select(_runs.c.id).where(_runs.c.id.in_([row.id for row in part])).with_for_update()).all()
        versions, models = model_tables.model_versions.c, model_tables.registered_models.c
        made = select(versions.run_id, models.name, versions.version).join_from(
            model_tables.model_versions, model_tables.registered_models
        )
        found = tx.execute(made.where(versions.run_id.in_([row.run_id for row in part])).limit(1)).first()
        if found is not None:
            raise InvalidInput(
                f"The run {found.run_id} cannot be removed for good: version {found.version} of the registered model "
                f"{found.name!r} was made from it. Delete that version first."
            )


def _remove(tx: Tx, rows: Sequence[RunRow]) -> None:
    ids = [row.id for row in rows]
    used = list(tx.execute(select(_inputs.c.dataset).where(_inputs.c.run.in_(ids)).distinct()).scalars())
    tx.change(delete(_refusals).where(_refusals.c.run_id.in_([row.run_id for row in rows])))
    tx.change(delete(_runs).where(_runs.c.id.in_(ids)))  # whatever belongs to a run goes with it, by the schema
    for part in chunks(used):
        alone = ~exists().where(_inputs.c.dataset == _datasets.c.id)
        tx.change(delete(_datasets).where(_datasets.c.id.in_(part), alone))
