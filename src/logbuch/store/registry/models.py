"""Registered models and their tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from logbuch import limits
from logbuch.errors import AlreadyExists, NotFound
from logbuch.model import Tag
from logbuch.registry import Action, Caller, RegisteredModel
from logbuch.store.model_tables import model_versions, registered_model_tags, registered_models
from logbuch.store.registry import assembly, audit, labels
from logbuch.store.tx import Tx

_table = registered_models
NOBODY = Caller()


def create(tx: Tx, name: str, tags: Sequence[Tag] = (), description: str = "", by: Caller = NOBODY) -> RegisteredModel:
    """Creates a model without versions."""
    limits.check_model_name(name)
    limits.check_text(description, "description", limits.MODEL_DESCRIPTION_LENGTH)
    if _find(tx, name) is not None:
        raise _taken(name)
    now = tx.now()
    values = {"name": name, "description": description, "creation_time": now, "last_update_time": now}
    try:
        tx.change(_table.insert().values(values | {"last_version": 0}))
    except IntegrityError:  # another replica was faster
        raise _taken(name) from None
    row = require(tx, name)
    labels.write(tx, registered_model_tags, "model", row.id, tags)
    audit.note(tx, by, row, Action.MODEL_CREATED)
    return assembly.models(tx, [row])[0]


def get(tx: Tx, name: str) -> RegisteredModel:
    return assembly.models(tx, [require(tx, name)])[0]


def update_model(tx: Tx, name: str, description: str) -> RegisteredModel:
    """Sets the description."""
    limits.check_text(description, "description", limits.MODEL_DESCRIPTION_LENGTH)
    touch(tx, require(tx, name, lock=True), description=description)
    return get(tx, name)


def rename(tx: Tx, name: str, new_name: str, by: Caller = NOBODY) -> RegisteredModel:
    """Gives a model another name; its versions and their numbers stay."""
    limits.check_model_name(new_name, "new_name")
    row = require(tx, name, lock=True)
    if new_name != name:
        if _find(tx, new_name) is not None:
            raise _taken(new_name)
        try:
            touch(tx, row, name=new_name)
        except IntegrityError:  # another replica was faster
            raise _taken(new_name) from None
        _touch_versions(tx, row)
        audit.note(tx, by, row, Action.MODEL_RENAMED, before=name, after=new_name)
    return get(tx, new_name)


def delete_model(tx: Tx, name: str, by: Caller = NOBODY) -> None:
    """Deletes a model with all its versions and aliases. The files stay, they are the runs'."""
    row = require(tx, name, lock=True)
    audit.note(tx, by, row, Action.MODEL_DELETED)
    tx.change(delete(_table).where(_table.c.id == row.id))


def set_tag(tx: Tx, name: str, tag: Tag) -> None:
    row = require(tx, name, lock=True)
    labels.write(tx, registered_model_tags, "model", row.id, [tag])
    touch(tx, row)


def delete_tag(tx: Tx, name: str, key: str) -> None:
    """Takes a tag away; that there is none is no error, as with MLflow."""
    row = require(tx, name, lock=True)
    labels.remove(tx, registered_model_tags, "model", row.id, key)
    touch(tx, row)


def require(tx: Tx, name: str, *, lock: bool = False) -> Row[Any]:
    """A model's row; NotFound if there is none. ``lock`` makes others wait who would change the same model."""
    row = _find(tx, name, lock=lock)
    if row is None:
        raise NotFound(f"Registered Model with name={limits.clip(name)} not found")
    return row


def touch(tx: Tx, row: Row[Any], **values: Any) -> None:
    """Changes a model's row, and notes when."""
    tx.change(update(_table).where(_table.c.id == row.id).values(last_update_time=tx.now(), **values))


def _touch_versions(tx: Tx, row: Row[Any]) -> None:
    own = model_versions
    tx.change(update(own).where(own.c.model == row.id).values(last_update_time=tx.now()))


def _find(tx: Tx, name: str, *, lock: bool = False) -> Row[Any] | None:
    if not limits.is_storable(name):
        return None
    query = select(_table).where(_table.c.name == name)
    found: Row[Any] | None = tx.execute(query.with_for_update() if lock else query).first()
    return found


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"Registered Model (name={limits.clip(name)}) already exists.")
