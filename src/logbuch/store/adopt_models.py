"""Taking over logged models, and registered models with their versions, numbers, stages, aliases and times.

The rules are those of every other way in. What is there already stays, and what is missing of it is added. Nobody is
told: a version that is taken over went into use elsewhere, perhaps long ago.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Table, select, update

from logbuch import limits
from logbuch.errors import AlreadyExists, InvalidInput, LogbuchError, NotFound
from logbuch.logged import LoggedModel, LoggedModelStatus, ModelMetric, MovedModel
from logbuch.registry import Action, Caller, ModelVersion, MovedRegistration, Refusal, RegisteredModel, Stage
from logbuch.store import heads, schema
from logbuch.store.experiments import inner_id
from logbuch.store.logged import metrics, models
from logbuch.store.model_tables import (
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_version_tags,
    model_versions,
    registered_model_tags,
    registered_models,
)
from logbuch.store.registry import aliases, assembly, audit, labels, lookup, sources
from logbuch.store.tx import Tx

# -- logged models -----------------------------------------------------------------------------------------------------


def take_logged(tx: Tx, experiment_id: str, wanted: MovedModel) -> list[Refusal]:
    """Makes a logged model under its own ID, or adds what is missing of it.

    Returns what differs and stays as it is here, and the points that could not be linked.
    """
    model, experiment = wanted.model, inner_id(experiment_id)
    limits.check_run_id(model.model_id, "model_id")
    if tx.execute(select(schema.experiments.c.id).where(schema.experiments.c.id == experiment)).first() is None:
        raise NotFound(f"No Experiment with id={limits.clip(experiment_id)} exists")
    found = tx.execute(select(logged_models).where(logged_models.c.model_id == model.model_id)).first()
    if found is not None and found.experiment != experiment:
        raise AlreadyExists(f"Logged model {model.model_id} is in another experiment here, {found.experiment}.")
    values = {
        "status": model.status.wire,
        "status_message": limits.check_text(model.status_message, "status_message", limits.MODEL_DESCRIPTION_LENGTH),
        "deleted": wanted.deleted,
    }
    updated = limits.check_integer(model.last_updated_timestamp, "last_updated_timestamp")
    if found is None:
        id_, refused = _insert(tx, logged_models, _logged_row(model, experiment) | values), []
    else:
        id_, refused = found.id, _fill(tx, found, wanted, values)
        updated = max(updated, found.last_update_time)
    refused += _add_texts(tx, id_, model) + _link(tx, model.metric_points)
    tx.change(update(logged_models).where(logged_models.c.id == id_).values(last_update_time=updated))
    return refused


def _fill(tx: Tx, found: Any, wanted: MovedModel, values: Mapping[str, Any]) -> list[Refusal]:
    """Gives a model that was not done yet its outcome; whatever else has come to be different here stays."""
    refused = []
    here, there = LoggedModelStatus.from_wire(found.status), wanted.model.status
    if here is not there and here is LoggedModelStatus.PENDING:
        outcome = {name: values[name] for name in ("status", "status_message")}
        tx.change(update(logged_models).where(logged_models.c.id == found.id).values(outcome))
    elif here is not there:
        refused.append(_stays("status", wanted.model, here.value))
    if bool(found.deleted) is not wanted.deleted:
        refused.append(_stays("deletion", wanted.model, "deleted" if found.deleted else "not deleted"))
    return refused


def _stays(what: str, model: LoggedModel, here: str) -> Refusal:
    return Refusal(what=f"{what} of logged model {model.model_id}", why=f"it is {here} there, which stays")


def _logged_row(model: LoggedModel, experiment: int) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "experiment": experiment,
        "name": limits.check_logged_model_name(model.name),
        "model_type": limits.check_text(model.model_type, "model_type", limits.DATASET_NAME_LENGTH),
        "source_run_id": limits.check_text(model.source_run_id, "source_run_id", limits.USER_LENGTH),
        "creation_time": limits.check_integer(model.creation_timestamp, "creation_timestamp"),
        "last_update_time": limits.check_integer(model.last_updated_timestamp, "last_updated_timestamp"),
    }


def _add_texts(tx: Tx, id_: int, model: LoggedModel) -> list[Refusal]:
    """Adds the params and tags that are missing; where both have one and they differ, the one here stays."""
    refused: list[Refusal] = []
    for what, table, items, add in (
        ("param", logged_model_params, model.param_list, models.add_params),
        ("tag", logged_model_tags, model.tag_list, models.add_tags),
    ):
        known = {one.key: one.value for one in labels.of(tx, table, "model", [id_]).get(id_, ())}
        for item in items:
            limits.check_key(item.key, "key")
            name = f"{what} {limits.clip(item.key)!r} of logged model {model.model_id}"
            if item.key not in known:
                _try(tx, refused, name, add, id_, [item])
            elif known[item.key] != item.value:
                refused.append(Refusal(what=name, why="it has another value there, which stays"))
    return refused


def _link(tx: Tx, points: Sequence[ModelMetric]) -> list[Refusal]:
    refused = []
    for point in points:
        limits.check_key(point.key, "key")
        limits.check_integer(point.step, "step")
        limits.check_integer(point.timestamp, "timestamp")
    for run_id, group in groupby(sorted(points, key=lambda point: point.run_id), key=lambda point: point.run_id):
        mine = list(group)
        row = heads.fetch(tx, [run_id]).get(run_id) if limits.is_run_id(run_id) else None
        if row is None:
            what = f"{len(mine)} metrics of logged model {mine[0].model_id}"
            refused.append(Refusal(what=what, why=f"run {limits.clip(run_id)!r}, which logged them, is not there"))
        else:
            metrics.link(tx, row.id, mine)
    return refused


# -- registered models -------------------------------------------------------------------------------------------------


def take_registered(tx: Tx, wanted: MovedRegistration, by: Caller) -> list[Refusal]:
    """Makes a registered model, or finds the one of its name, and takes its versions over under their own numbers.

    What breaks a rule is left out and returned. Numbers that were given before are not given again.
    """
    model, by = wanted.model, msgspec.structs.replace(by, quiet=True, recorded=bool(wanted.history))
    updated = limits.check_integer(model.last_updated_timestamp, "last_updated_timestamp")
    row = _model_row(tx, model, by)
    known = {tag.key for tag in labels.of(tx, registered_model_tags, "model", [row.id]).get(row.id, ())}
    fresh = [tag for tag in model.tag_list if tag.key not in known]
    refused: list[Refusal] = []
    _try(tx, refused, f"audit trail of model {model.name!r}", audit.take, row.id, wanted.history)
    _try(tx, refused, f"tags of model {model.name!r}", labels.write, registered_model_tags, "model", row.id, fresh)
    for version in sorted(wanted.versions, key=lambda one: int(one.version)):
        what = f"version {version.version} of model {model.name!r}"
        _try(tx, refused, what, _take_version, row, version, by, refused)
    kept = {str(one) for one in tx.execute(_numbers(row.id)).scalars()}
    for alias in model.alias_list:
        here, what = lookup.target(tx, row.id, alias.alias), f"alias {alias.alias!r} of model {model.name!r}"
        if here is None and alias.version in kept:
            _try(tx, refused, what, aliases.set_alias, model.name, alias.alias, alias.version, by)
        elif here is not None and str(here) != alias.version:
            refused.append(Refusal(what=what, why=f"it leads to version {here} there, which stays"))
    given = wanted.last_version if wanted.last_version <= limits.MODEL_VERSION else 0
    last = max([row.last_version, given, *map(int, kept)])
    times = {"last_version": last, "last_update_time": max(row.last_update_time, updated)}
    tx.change(update(registered_models).where(registered_models.c.id == row.id).values(times))
    return refused


def _model_row(tx: Tx, model: RegisteredModel, by: Caller) -> Any:
    limits.check_model_name(model.name)
    query = select(registered_models).where(registered_models.c.name == model.name)
    found = tx.execute(query.with_for_update()).first()
    if found is None:
        values = {
            "name": model.name,
            "description": limits.check_text(model.description, "description", limits.MODEL_DESCRIPTION_LENGTH),
            "creation_time": limits.check_integer(model.creation_timestamp, "creation_timestamp"),
            "last_update_time": limits.check_integer(model.last_updated_timestamp, "last_updated_timestamp"),
            "last_version": 0,
        }
        _insert(tx, registered_models, values)
        found = tx.execute(query).one()
        audit.note(tx, by, found, Action.MODEL_CREATED)
    return found


def _take_version(tx: Tx, model: Any, version: ModelVersion, by: Caller, refused: list[Refusal]) -> None:
    number = limits.version_number(version.version)
    if not 0 < number <= limits.MODEL_VERSION:
        raise InvalidInput(f"The number of a version must be from 1 to {limits.MODEL_VERSION}.")
    source = sources.resolve(tx, version.source)
    same = (model_versions.c.model == model.id) & (model_versions.c.version == number)
    found = tx.execute(select(model_versions).where(same)).first()
    if found is not None:
        if found.location != source.location:
            raise AlreadyExists(f"There is a version of this number, made from {limits.clip(found.source)!r}.")
        if found.stage != version.current_stage.wire:
            what = f"stage of version {number} of model {model.name!r}"
            refused.append(Refusal(what=what, why=f"it is {Stage.from_wire(found.stage).value} there, which stays"))
        return
    values = {
        "model": model.id,
        "version": number,
        "stage": version.current_stage.wire,
        "description": limits.check_text(version.description, "description", limits.MODEL_DESCRIPTION_LENGTH),
        "user_id": limits.check_text(version.user_id, "user_id", limits.USER_LENGTH),
        "creation_time": limits.check_integer(version.creation_timestamp, "creation_timestamp"),
        "last_update_time": limits.check_integer(version.last_updated_timestamp, "last_updated_timestamp"),
        "source": version.source,
        "location": source.location,
        "run_id": source.run_id or limits.check_text(version.run_id, "run_id", limits.USER_LENGTH),
        "run_link": limits.check_text(version.run_link, "run_link", limits.MODEL_SOURCE_LENGTH),
        "model_id": source.model_id,
    }
    id_ = _insert(tx, model_versions, values)
    labels.write(tx, model_version_tags, "version", id_, version.tag_list)
    audit.note(tx, by, model, Action.VERSION_CREATED, number, after=version.source)
    if version.current_stage is not Stage.NONE:
        audit.note(tx, by, model, Action.STAGE_CHANGED, number, before=Stage.NONE, after=version.current_stage)


def _insert(tx: Tx, table: Table, values: Mapping[str, Any]) -> int:
    """Inserts a row, its columns in the order of the table, as the driver wants them."""
    return tx.insert_one(table, {column.name: values[column.name] for column in table.c if column.name in values})


def _numbers(model: int) -> Any:
    return select(model_versions.c.version).where(model_versions.c.model == model)


def _try(tx: Tx, refused: list[Refusal], what: str, do: Callable[..., Any], *arguments: Any) -> None:
    """What breaks a rule is taken back by itself and told."""
    try:
        with tx.part():
            do(tx, *arguments)
    except LogbuchError as error:
        refused.append(Refusal(what=what, why=error.message))


# -- reading -----------------------------------------------------------------------------------------------------------


def logged_of(tx: Tx, experiment_id: str) -> list[MovedModel]:
    """All logged models of an experiment, the deleted ones too."""
    own = logged_models.c
    query = select(logged_models).where(own.experiment == inner_id(experiment_id)).order_by(own.creation_time, own.id)
    rows = tx.execute(query).all()
    found = zip(models.nouns(tx, rows), rows, strict=True)
    return [MovedModel(model=model, deleted=bool(row.deleted)) for model, row in found]


def registered(tx: Tx) -> list[MovedRegistration]:
    """All registered models with their versions, the oldest first."""
    own = registered_models.c
    rows = tx.execute(select(registered_models).order_by(own.creation_time, own.id)).all()
    found = []
    for row, model in zip(rows, assembly.models(tx, rows), strict=True):
        query = assembly.NAMED.where(model_versions.c.model == row.id).order_by(model_versions.c.version)
        versions = tuple(assembly.versions(tx, tx.execute(query).all()))
        history = tuple(msgspec.structs.replace(entry, id=0) for entry in audit.of_model(tx, row.id))
        found.append(MovedRegistration(model=model, versions=versions, last_version=row.last_version, history=history))
    return found
