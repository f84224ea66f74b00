"""Taking over what another tracker holds: experiments and runs as they were there, with their IDs, times and ends.

The rules for keys and values are those of every other way in. What is there already stays: nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import exists, select, update

from logbuch import limits
from logbuch.errors import AlreadyExists
from logbuch.model import Experiment, LifecycleStage, Run
from logbuch.store import experiments, heads, inputs, params, schema, tags
from logbuch.store.heads import RunRow
from logbuch.store.logged import of_runs
from logbuch.store.metrics import direct
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.seam import new_value
from logbuch.store.tx import Tx

_experiments, _runs = schema.experiments, schema.runs


class Part(NamedTuple):
    """A run, or what is still missing of one; ``experiment_id`` is this store's, ``deleted_time`` is in ms.

    Of a run that is there already, its data are added, and with ``head`` its status, end and deletion are set.
    """

    run: Run
    experiment_id: str
    deleted_time: int | None = None
    points: Sequence[Incoming] = ()
    head: bool = True


def take_experiment(tx: Tx, wanted: Experiment, location: str) -> str:
    """Makes an experiment, under its own ID where that is free, or finds the one of its name; returns its ID here.

    ``location`` is a checked folder below the artifact root. An experiment without runs becomes as it is wanted, but
    for its deletion: see :func:`close_experiment`.
    """
    limits.check_experiment_name(wanted.name)
    found = tx.execute(select(_experiments).where(_experiments.c.name == wanted.name)).first()
    values: dict[str, Any] = {
        "artifact_location": location,
        "creation_time": limits.check_integer(wanted.creation_time, "creation_time"),
        "last_update_time": limits.check_integer(wanted.last_update_time, "last_update_time"),
    }
    if found is None:
        id_ = _insert(tx, wanted, {"name": wanted.name, "artifact_location": location, "deleted": False} | values)
    else:
        id_ = found.id
        used = tx.execute(select(exists().where(_runs.c.experiment == id_))).scalar()
        if not used and any(getattr(found, name) != value for name, value in values.items()):
            tx.change(update(_experiments).where(_experiments.c.id == id_).values(values))
    _add_tags(tx, id_, wanted)
    return str(id_)


def close_experiment(tx: Tx, experiment_id: str, wanted: Experiment) -> None:
    """Marks an experiment as deleted at its own time, if it was; its runs have their own marks."""
    if wanted.lifecycle_stage is LifecycleStage.DELETED:
        values = {"deleted": True, "last_update_time": wanted.last_update_time}
        id_ = experiments.inner_id(experiment_id)
        tx.change(update(_experiments).where(_experiments.c.id == id_).values(values))


def take(tx: Tx, run_ids: Sequence[str], parts: Sequence[Part]) -> None:  # noqa: ARG001  the IDs are locked before
    """Takes over runs: all of these parts or, if one breaks a rule, none. ``run_ids`` are those of the parts."""
    for part in parts:
        info = part.run.info
        row = heads.fetch(tx, [info.run_id]).get(info.run_id)
        new = row is None
        if row is None:
            row = _insert_run(tx, part)
        elif str(row.experiment) != part.experiment_id:
            raise AlreadyExists(f"Run {info.run_id} is in another experiment here, {row.experiment}.")
        elif part.head:
            _set_head(tx, row, part)
        _add_data(tx, row, part, new=new)


def _insert(tx: Tx, wanted: Experiment, values: dict[str, Any]) -> int:
    id_ = experiments.inner_id(wanted.experiment_id)
    if id_ > 0 and not tx.execute(select(exists().where(_experiments.c.id == id_))).scalar():
        tx.insert_one(_experiments, {"id": id_} | values)
        tx.seam.numbered(tx.connection, _experiments)
        return id_
    return tx.insert_one(_experiments, values)


def _add_tags(tx: Tx, id_: int, wanted: Experiment) -> None:
    for tag in wanted.tag_list:
        limits.check_key(tag.key, "key")
        limits.check_text(tag.value, "value", limits.EXPERIMENT_TAG_VALUE_LENGTH)
    table = schema.experiment_tags
    known = set(tx.execute(select(table.c.key).where(table.c.experiment == id_)).scalars())
    rows = [{"experiment": id_, "key": tag.key, "value": tag.value} for tag in wanted.tag_list if tag.key not in known]
    tx.insert(tx.seam.upsert(table, new_value), rows)


def _insert_run(tx: Tx, part: Part) -> RunRow:
    info = part.run.info
    values: dict[str, Any] = {
        "run_id": limits.check_run_id(info.run_id),
        "experiment": experiments.inner_id(part.experiment_id),
        "name": limits.check_text(info.run_name, "run_name", limits.RUN_NAME_LENGTH),
        "user_id": limits.check_text(info.user_id, "user_id", limits.USER_LENGTH),
        "start_time": limits.check_integer(info.start_time, "start_time"),
        "home": None,
        "lost_time": None,
    } | _head(part)
    ordered = {name: values[name] for name in RunRow._fields if name in values}
    return RunRow(tx.insert_one(_runs, ordered), **ordered)


def _head(part: Part) -> dict[str, Any]:
    info = part.run.info
    deleted = info.lifecycle_stage is LifecycleStage.DELETED
    return {
        "status": info.status.wire,
        "end_time": None if info.end_time is None else limits.check_integer(info.end_time, "end_time"),
        "deleted": deleted,
        "deleted_time": (part.deleted_time or _deletion(part)) if deleted else None,
    }


def _deletion(part: Part) -> int:
    """When a deleted run was deleted, where its tracker does not say: at its end or, without one, at its start."""
    return part.run.info.end_time or part.run.info.start_time


def _set_head(tx: Tx, row: RunRow, part: Part) -> None:
    wanted = _head(part)
    if any(getattr(row, name) != value for name, value in wanted.items()):
        tx.change(update(_runs).where(_runs.c.id == row.id).values(lost_time=None, **wanted))
        tx.forget_heads()


def _add_data(tx: Tx, row: RunRow, part: Part, *, new: bool) -> None:
    data = part.run.data
    params.write(tx, row.id, data.param_list, row.run_id)
    tags.write(tx, row.id, data.tag_list)
    if part.run.inputs.dataset_inputs:
        inputs.write(tx, row, part.run.inputs.dataset_inputs)
    of_runs.write(tx, row, part.run.inputs.model_inputs, output=False)
    of_runs.write(tx, row, part.run.outputs.model_outputs, output=True)
    direct.append(tx, row, part.points, new=new)
    tx.touch(row.id, row.experiment)
