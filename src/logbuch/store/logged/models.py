"""Logged models: their heads, params and tags."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound
from logbuch.logged import LoggedModel, LoggedModelStatus, Registration
from logbuch.model import Noun, Param, Tag
from logbuch.store import experiments, runs
from logbuch.store.logged import metrics
from logbuch.store.model_tables import (
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_versions,
    registered_models,
)
from logbuch.store.registry import labels
from logbuch.store.tx import Tx, chunks

_table = logged_models
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


class NewLoggedModel(Noun, frozen=True, kw_only=True):
    """What is wanted of a new logged model. Without ``name`` the store finds one."""

    experiment_id: str
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()


def create(tx: Tx, new: NewLoggedModel) -> LoggedModel:
    """Creates a model whose files are still to come."""
    experiment = experiments.require(tx, new.experiment_id)
    now = tx.now()
    values: dict[str, Any] = {
        "model_id": f"m-{uuid.uuid4().hex}",
        "experiment": experiment,
        "name": limits.check_logged_model_name(new.name) if new.name else runs.random_name(),
        "model_type": limits.check_text(new.model_type, "model_type", limits.DATASET_NAME_LENGTH),
        "source_run_id": limits.check_text(new.source_run_id, "source_run_id", limits.USER_LENGTH),
        "status": LoggedModelStatus.PENDING.wire,
        "status_message": "",
        "creation_time": now,
        "last_update_time": now,
        "deleted": False,
    }
    id_ = tx.insert_one(_table, values)
    add_params(tx, id_, new.params)
    add_tags(tx, id_, new.tags)
    return get(tx, values["model_id"])


def get(tx: Tx, model_id: str) -> LoggedModel:
    return nouns(tx, [row(tx, model_id)])[0]


def finalize(tx: Tx, model_id: str, status: LoggedModelStatus) -> LoggedModel:
    """Notes that a model's files are whole, or that they will not come."""
    if status not in (LoggedModelStatus.READY, LoggedModelStatus.FAILED, LoggedModelStatus.PENDING):
        raise InvalidInput(f"Invalid value {status.protocol} for parameter 'status': it is no status to end with.")
    _touch(tx, row(tx, model_id), status=status.wire)
    return get(tx, model_id)


def delete_model(tx: Tx, model_id: str) -> None:
    """Marks a model as deleted; again is no error."""
    _touch(tx, _any_row(tx, model_id), deleted=True)


def set_tags(tx: Tx, model_id: str, tags: Sequence[Tag]) -> None:
    found = row(tx, model_id)
    add_tags(tx, found.id, tags)
    _touch(tx, found)


def delete_tag(tx: Tx, model_id: str, key: str) -> None:
    found = row(tx, model_id)
    if not labels.remove(tx, logged_model_tags, "model", found.id, key):
        raise NotFound(f"No tag with key {limits.clip(key)!r} found for model with ID {model_id!r}.")
    _touch(tx, found)


def log_params(tx: Tx, model_id: str, params: Sequence[Param]) -> None:
    """Logs params, which do not change any more: the same value again is no error."""
    found = row(tx, model_id)
    add_params(tx, found.id, params)
    _touch(tx, found)


def row(tx: Tx, model_id: str) -> Row[Any]:
    """The row of a model that is not deleted; NotFound if there is none."""
    found = _any_row(tx, model_id)
    if found.deleted:
        raise _unknown(model_id)
    return found


def is_model_id(text: str) -> bool:
    """Whether a text looks like the id of a logged model: ``m-`` and 32 hexadecimal digits."""
    return _MODEL_ID.fullmatch(text) is not None


def folder(row: Row[Any] | LoggedModel) -> str:
    """Where a model's files lie, below its experiment's."""
    return f"models/{row.model_id}/artifacts"


def nouns(tx: Tx, rows: Sequence[Row[Any]]) -> list[LoggedModel]:
    """Rows as whole models, with one query a kind of data for all of them."""
    ids = [row.id for row in rows]
    tags = labels.of(tx, logged_model_tags, "model", ids)
    params = labels.of(tx, logged_model_params, "model", ids)
    registrations = _registrations(tx, [row.model_id for row in rows])
    points = metrics.of_models(tx, {row.id: row.model_id for row in rows})
    return [
        LoggedModel(
            model_id=row.model_id,
            experiment_id=str(row.experiment),
            name=row.name,
            artifact_location=f"{experiments.LOCATION_SCHEME}{row.experiment}/{folder(row)}",
            creation_timestamp=row.creation_time,
            last_updated_timestamp=row.last_update_time,
            status=LoggedModelStatus.from_wire(row.status),
            model_type=row.model_type,
            source_run_id=row.source_run_id,
            status_message=row.status_message,
            tag_list=tags.get(row.id, ()),
            param_list=tuple(Param(key=tag.key, value=tag.value) for tag in params.get(row.id, ())),
            metric_points=tuple(points.get(row.id, ())),
            registrations=tuple(registrations.get(row.model_id, ())),
        )
        for row in rows
    ]


def _any_row(tx: Tx, model_id: str) -> Row[Any]:
    query = select(_table).where(_table.c.model_id == model_id)
    found: Row[Any] | None = tx.execute(query).first() if limits.is_storable(model_id) else None
    if found is None:
        raise _unknown(model_id)
    return found


def _registrations(tx: Tx, model_ids: Sequence[str]) -> dict[str, list[Registration]]:
    found: dict[str, list[Registration]] = {}
    for part in chunks(model_ids):
        own = model_versions.c
        query = (
            select(own.model_id, registered_models.c.name, own.version)
            .join(registered_models, registered_models.c.id == own.model)
            .where(own.model_id.in_(part))
            .order_by(registered_models.c.name, own.version)
        )
        for row in tx.execute(query):
            found.setdefault(row.model_id, []).append(Registration(name=row.name, version=str(row.version)))
    return found


def _unknown(model_id: str) -> NotFound:
    return NotFound(f"Logged model with ID {limits.clip(model_id)!r} not found.")


def _touch(tx: Tx, row: Row[Any], **values: Any) -> None:
    tx.change(update(_table).where(_table.c.id == row.id).values(last_update_time=tx.now(), **values))


def add_tags(tx: Tx, id_: int, tags: Sequence[Tag]) -> None:
    """Sets tags of the model of an inner ID."""
    labels.write(tx, logged_model_tags, "model", id_, tags, limits.EXPERIMENT_TAG_VALUE_LENGTH)


def add_params(tx: Tx, id_: int, params: Sequence[Param]) -> None:
    """Logs params of the model of an inner ID."""
    known = {tag.key: tag.value for tag in labels.of(tx, logged_model_params, "model", [id_]).get(id_, ())}
    fresh = []
    for param in params:
        value = limits.fit_text(param.value, "value", limits.PARAM_VALUE_LENGTH)
        if known.setdefault(param.key, value) != value:
            raise InvalidInput(
                f"Changing param values is not allowed. Param with key={limits.clip(param.key)!r} was already logged "
                f"with value={limits.clip(known[param.key])!r}. Attempted logging new value {limits.clip(value)!r}."
            )
        fresh.append(Tag(key=param.key, value=value))
    labels.write(tx, logged_model_params, "model", id_, fresh)
