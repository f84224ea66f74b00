"""Aliases: names of a model's versions that can be moved, such as ``champion``."""

from __future__ import annotations

from sqlalchemy import delete

from logbuch import limits
from logbuch.registry import Action, Caller
from logbuch.store.model_tables import model_aliases
from logbuch.store.registry import audit, lookup, models
from logbuch.store.seam import Update
from logbuch.store.tx import Tx

_table = model_aliases


def _new_version(new: object) -> dict[str, object]:
    return {"version": new.version}  # type: ignore[attr-defined]


_move: Update = _new_version


def set_alias(tx: Tx, name: str, alias: str, version: str, by: Caller = models.NOBODY) -> None:
    """Lets an alias lead to a version, whichever it led to before."""
    limits.check_alias(alias)
    model = lookup.locked(tx, name, version)
    row = lookup.version_row(tx, name, version)
    before = lookup.target(tx, model.id, alias)
    tx.insert(tx.seam.upsert(_table, _move), [{"model": model.id, "alias": alias, "version": row.id}])
    if before != row.version:
        shown = "" if before is None else str(before)
        audit.note(tx, by, model, Action.ALIAS_SET, row.version, alias=alias, before=shown, after=str(row.version))
    models.touch(tx, model)


def delete_alias(tx: Tx, name: str, alias: str, by: Caller = models.NOBODY) -> None:
    """Takes an alias away; that there is none is no error, as with MLflow."""
    model = models.require(tx, name, lock=True)
    before = lookup.target(tx, model.id, alias)
    if before is None:
        return
    tx.change(delete(_table).where(_table.c.model == model.id, _table.c.alias == alias))
    audit.note(tx, by, model, Action.ALIAS_DELETED, before, alias=alias, before=str(before))
    models.touch(tx, model)
