"""Model versions: made from a run's or a logged model's files, numbered once and for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Noun, Tag
from logbuch.registry import Action, Caller, ModelVersion, Stage
from logbuch.store.model_tables import model_version_tags, model_versions
from logbuch.store.registry import assembly, audit, labels, lookup, models, sources
from logbuch.store.tx import Tx

_table = model_versions


class NewVersion(Noun, frozen=True, kw_only=True):
    """What is wanted of a new version. ``source`` is an address that :mod:`sources` knows."""

    name: str
    source: str
    run_id: str = ""
    model_id: str = ""
    run_link: str = ""
    description: str = ""
    tags: tuple[Tag, ...] = ()


def create(tx: Tx, new: NewVersion, by: Caller = models.NOBODY) -> ModelVersion:
    """Registers a model's files under the next number; no number is ever given twice."""
    limits.check_text(new.description, "description", limits.MODEL_DESCRIPTION_LENGTH)
    limits.check_text(new.run_link, "run_link", limits.MODEL_SOURCE_LENGTH)
    model = models.require(tx, new.name, lock=True)
    source = sources.resolve(tx, new.source, new.run_id, new.model_id)
    number = model.last_version + 1
    now = tx.now()
    values = {
        "model": model.id,
        "version": number,
        "stage": Stage.NONE.wire,
        "description": new.description,
        "user_id": by.user[: limits.USER_LENGTH] if limits.is_storable(by.user) else "",
        "creation_time": now,
        "last_update_time": now,
        "source": new.source,
        "location": source.location,
        "run_id": source.run_id,
        "run_link": new.run_link,
        "model_id": source.model_id,
    }
    id_ = tx.insert_one(_table, values)
    labels.write(tx, model_version_tags, "version", id_, new.tags)
    models.touch(tx, model, last_version=number)
    audit.note(tx, by, model, Action.VERSION_CREATED, number, after=new.source)
    return lookup.version(tx, new.name, str(number))


def update_version(tx: Tx, name: str, version: str, description: str) -> ModelVersion:
    """Sets the description."""
    limits.check_text(description, "description", limits.MODEL_DESCRIPTION_LENGTH)
    lookup.locked(tx, name, version)
    touch(tx, lookup.version_row(tx, name, version), description=description)
    return lookup.version(tx, name, version)


def delete_version(tx: Tx, name: str, version: str, by: Caller = models.NOBODY) -> None:
    """Deletes a version and the aliases that lead to it. Its files stay, they are the run's."""
    model = lookup.locked(tx, name, version)
    row = lookup.version_row(tx, name, version)
    for alias in assembly.versions(tx, [row])[0].aliases:
        audit.note(tx, by, model, Action.ALIAS_DELETED, row.version, alias=alias, before=str(row.version))
    stage = Stage.from_wire(row.stage)
    audit.note(tx, by, model, Action.VERSION_DELETED, row.version, before=stage)
    tx.change(delete(_table).where(_table.c.id == row.id))
    models.touch(tx, model)


def set_tag(tx: Tx, name: str, version: str, tag: Tag) -> None:
    lookup.locked(tx, name, version)
    row = lookup.version_row(tx, name, version)
    labels.write(tx, model_version_tags, "version", row.id, [tag])
    touch(tx, row)


def delete_tag(tx: Tx, name: str, version: str, key: str) -> None:
    """Takes a tag away; that there is none is no error, as with MLflow."""
    lookup.locked(tx, name, version)
    row = lookup.version_row(tx, name, version)
    labels.remove(tx, model_version_tags, "version", row.id, key)
    touch(tx, row)


def transition(
    tx: Tx, name: str, version: str, stage: str, *, archive_existing: bool = False, by: Caller = models.NOBODY
) -> ModelVersion:
    """Moves a version to a stage; with ``archive_existing`` the versions that were there are archived."""
    wanted = lookup.check_stage(stage)
    if archive_existing and not wanted.active:
        raise InvalidInput(
            f"Model version transition cannot archive existing model versions because {wanted.value!r} is not an "
            "Active stage. Valid stages are ['Staging', 'Production']"
        )
    model = lookup.locked(tx, name, version)
    row = lookup.version_row(tx, name, version)
    moved = [(row, wanted)]
    if archive_existing:
        moved += [(other, Stage.ARCHIVED) for other in _of_stage(tx, model.id, wanted) if other.id != row.id]
    for one, target in moved:
        _move(tx, by, model, one, target)
    models.touch(tx, model)
    return lookup.version(tx, name, version)


def touch(tx: Tx, row: Row[Any], **values: Any) -> None:
    """Changes a version's row, and notes when."""
    tx.change(update(_table).where(_table.c.id == row.id).values(last_update_time=tx.now(), **values))


def _of_stage(tx: Tx, model: int, stage: Stage) -> Sequence[Row[Any]]:
    query = select(_table).where(_table.c.model == model, _table.c.stage == stage.wire).order_by(_table.c.version)
    rows: Sequence[Row[Any]] = tx.execute(query).all()
    return rows


def _move(tx: Tx, by: Caller, model: Row[Any], row: Row[Any], stage: Stage) -> None:
    before = Stage.from_wire(row.stage)
    touch(tx, row, stage=stage.wire)
    if before is not stage:
        audit.note(tx, by, model, Action.STAGE_CHANGED, row.version, before=before, after=stage)
