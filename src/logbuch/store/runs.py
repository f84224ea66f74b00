"""Runs: their head, their life, and the assembly of whole runs."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError

from logbuch import limits
from logbuch.errors import AlreadyExists, InvalidInput, NotFound
from logbuch.model import (
    LOST,
    LifecycleStage,
    Noun,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    Tag,
)
from logbuch.store import experiments, heads, inputs, params, schema, tags, texts
from logbuch.store.heads import RunRow
from logbuch.store.logged import of_runs
from logbuch.store.metrics import latest
from logbuch.store.tx import Tx

NAME_TAG = "mlflow.runName"
_table = schema.runs
_release = sql_delete(schema.holders).where(schema.holders.c.run == bindparam("held"))

_ADJECTIVES = """
    agile amber apt bold brave bright brisk calm clean clear clever cosy crisp deep eager early fair fast fine firm
    fresh gentle glad golden grand green happy honest keen kind light lively lucky mellow merry neat nimble noble
    patient placid polite proud quick quiet rapid rare ready robust sharp silent smooth solid steady stout subtle
    sunny swift tidy tranquil upright vivid warm wise witty young
""".split()
_ANIMALS = """
    badger bear beaver bee bison boar crane crow deer dove duck eagle elk falcon ferret finch fox frog goat goose
    grouse hare hawk hedgehog heron horse ibex jay kite lark lynx marten mole moose mouse newt otter owl ox perch
    pike plover quail rabbit raven robin rook salmon seal shrew sparrow squirrel stag starling stoat stork swan
    swift tern thrush toad trout vole weasel whale wolf wren
""".split()


class NewRun(Noun, frozen=True, kw_only=True):
    """What is wanted of a new run. Without ``run_id`` the store makes one; without ``run_name`` it finds one."""

    experiment_id: str
    run_id: str | None = None
    run_name: str = ""
    user_id: str = ""
    start_time: int = 0
    status: RunStatus = RunStatus.RUNNING
    tags: tuple[Tag, ...] = ()


def create(tx: Tx, new: NewRun) -> Run:
    """Creates a run. Its name also stands in the tag ``mlflow.runName``; where both are given they must agree."""
    experiment = experiments.require(tx, new.experiment_id)
    run_id = limits.check_run_id(new.run_id) if new.run_id else uuid.uuid4().hex
    wanted = {tag.key: tag for tag in new.tags}
    name = _agreed_name(new.run_name, wanted.get(NAME_TAG))
    wanted[NAME_TAG] = Tag(key=NAME_TAG, value=name)
    values: dict[str, Any] = {
        "run_id": run_id,
        "experiment": experiment,
        "name": name,
        "user_id": limits.check_text(new.user_id, "user_id", limits.USER_LENGTH),
        "status": new.status.wire,
        "start_time": limits.check_integer(new.start_time, "start_time"),
        "end_time": None,
        "deleted": False,
        "home": None,
    }
    id_ = _insert(tx, values, made_here=not new.run_id)
    tx.touch(id_, experiment)
    written = tags.write(tx, id_, list(wanted.values()))
    head = RunRow(id_, **values, deleted_time=None, lost_time=None)
    return Run(info=info(head), data=RunData(tag_list=tuple(written)), inputs=RunInputs())


def get(tx: Tx, run_id: str) -> Run:
    """The whole run, deleted or not."""
    return nouns(tx, [row(tx, run_id)])[0]


def update_run(
    tx: Tx,
    run_id: str,
    status: RunStatus | None = None,
    end_time: int | None = None,
    run_name: str = "",
    *,
    held: bool = False,
) -> RunInfo:
    """Changes what is given; a run that is set to running again loses its end.

    Whoever says how a run stands knows better than signs of life: nobody is heard for it any more, unless it is set to
    running by a process that gives them (``held``).
    """
    head = active(tx, run_id)
    values: dict[str, Any] = {}
    if status is not None:
        values |= {"status": status.wire, "lost_time": None}
        if not status.terminal and not end_time:
            values["end_time"] = None
        if status.terminal or not held:
            tx.change(_release, {"held": head.id})
    if end_time:  # 0 is how protocol buffers say that nothing is given
        values["end_time"] = limits.check_integer(end_time, "end_time")
    if run_name:
        values["name"] = limits.check_text(run_name, "run_name", limits.RUN_NAME_LENGTH)
        tags.write(tx, head.id, [Tag(key=NAME_TAG, value=run_name)])
    if values:
        _set(tx, head, **values)
    return info(row(tx, run_id))


def delete(tx: Tx, run_id: str) -> None:
    """Marks a run as deleted; again is no error."""
    head = row(tx, run_id)
    if not head.deleted:
        _mark(tx, head, deleted=True)


def restore(tx: Tx, run_id: str) -> None:
    """Takes the mark back; again is no error."""
    head = row(tx, run_id)
    if head.deleted:
        _mark(tx, head, deleted=False)


def set_tags(tx: Tx, run_id: str, wanted: Sequence[Tag]) -> None:
    """Sets tags of an active run; ``mlflow.runName`` renames it."""
    apply_tags(tx, active(tx, run_id), wanted)


def delete_tag(tx: Tx, run_id: str, key: str) -> None:
    head = active(tx, run_id)
    tags.delete(tx, head.id, key, run_id)
    tx.touch(head.id, head.experiment)


def apply_tags(tx: Tx, head: RunRow, wanted: Sequence[Tag]) -> None:
    """Sets tags of a run whose row is at hand."""
    # An empty name would leave the run without one; MLflow ignores it too.
    wanted = [tag for tag in wanted if tag.key != NAME_TAG or tag.value]
    if not wanted:
        return
    tags.write(tx, head.id, wanted)
    tx.touch(head.id, head.experiment)
    names = [tag.value for tag in wanted if tag.key == NAME_TAG]
    if names:
        name = limits.check_text(names[-1], "value", limits.RUN_NAME_LENGTH)
        _set(tx, head, name=name)


def row(tx: Tx, run_id: str) -> RunRow:
    """A run's row; NotFound if there is none."""
    found = tx.head(run_id)
    if found is None:
        limits.check_text(run_id, "run_id", limits.KEY_LENGTH * 2)
        found = heads.fetch(tx, [run_id]).get(run_id)
    if found is None:
        raise NotFound(f"Run with id={limits.clip(run_id)} not found")
    return found


def preload(tx: Tx, run_ids: Iterable[str]) -> dict[str, RunRow]:
    """The rows of these runs in one query, for a group of jobs that will each ask for one."""
    return heads.fetch(tx, filter(limits.is_run_id, run_ids))


def active(tx: Tx, run_id: str) -> RunRow:
    """The row of a run that may be written."""
    found = row(tx, run_id)
    if found.deleted:
        raise InvalidInput(f"The run {run_id} must be in the 'active' state. Current state is deleted.")
    return found


def info(row: RunRow | Row[Any]) -> RunInfo:
    """The head of a run from its row."""
    return RunInfo(
        run_id=row.run_id,
        experiment_id=str(row.experiment),
        run_name=row.name,
        user_id=row.user_id,
        status=RunStatus.from_wire(row.status),
        start_time=row.start_time,
        end_time=row.end_time,
        lifecycle_stage=LifecycleStage.DELETED if row.deleted else LifecycleStage.ACTIVE,
        artifact_uri=f"{experiments.LOCATION_SCHEME}{_artifact_experiment(row)}/{row.run_id}/artifacts",
        lost_time=row.lost_time,
    )


def artifact_folder(tx: Tx, run_id: str) -> str:
    """The folder below the artifact root that holds the run's own folder; NotFound if there is no such run."""
    return experiments.location(tx, str(_artifact_experiment(row(tx, run_id))))


def shown_status(row: RunRow | Row[Any]) -> str:
    """Where a run stands, as Logbuch shows it: a lost run is LOST."""
    status = RunStatus.from_wire(row.status)
    return LOST if status is RunStatus.RUNNING and row.lost_time is not None else status


def nouns(tx: Tx, rows: Sequence[RunRow | Row[Any]]) -> list[Run]:
    """Rows as whole runs, with one query a kind of data for all of them."""
    ids = [row.id for row in rows]
    read = [query.fetch(tx, ids) for query in (latest.OF_RUNS, params.OF_RUNS, tags.OF_RUNS)]
    names = tx.texts({key for _, keys, *_ in read for key in set(keys)})
    points = latest.nouns(read[0], names)
    values, labels = texts.nouns(read[1], names, Param), texts.nouns(read[2], names, Tag)
    used = inputs.of_runs(tx, ids)
    models = of_runs.of_runs(tx, ids)
    return [
        Run(
            info=info(row),
            data=RunData(
                metric_points=tuple(points.get(row.id, ())),
                param_list=tuple(values.get(row.id, ())),
                tag_list=tuple(labels.get(row.id, ())),
            ),
            inputs=RunInputs(
                dataset_inputs=tuple(used.get(row.id, ())), model_inputs=tuple(models.get((row.id, False), ()))
            ),
            outputs=RunOutputs(model_outputs=tuple(models.get((row.id, True), ()))),
        )
        for row in rows
    ]


def _artifact_experiment(row: RunRow | Row[Any]) -> int:
    """Where a run's artifacts lie: addresses that were given out stay good when it moves."""
    return int(row.experiment if row.home is None else row.home)


def random_name() -> str:
    """A name for a run whose owner gave none: adjective, animal, number."""
    pick = random.SystemRandom()
    return f"{pick.choice(_ADJECTIVES)}-{pick.choice(_ANIMALS)}-{pick.randrange(1000)}"


def _agreed_name(name: str, tag: Tag | None) -> str:
    if tag is not None and tag.value and name and tag.value != name:
        raise InvalidInput(
            f"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name={limits.clip(name)!r}, mlflow.runName={limits.clip(tag.value)!r})."
        )
    chosen = name or (tag.value if tag is not None else "") or random_name()
    return limits.check_text(chosen, "run_name", limits.RUN_NAME_LENGTH)


def _insert(tx: Tx, values: dict[str, Any], *, made_here: bool) -> int:
    taken = AlreadyExists(f"Run with id={values['run_id']} already exists.")
    if not made_here and heads.fetch(tx, [values["run_id"]]):
        raise taken
    try:
        return tx.insert_one(_table, values)
    except IntegrityError:  # another replica was faster
        raise taken from None


def _mark(tx: Tx, head: RunRow, *, deleted: bool) -> None:
    _set(tx, head, deleted=deleted, deleted_time=tx.now() if deleted else None)


def _set(tx: Tx, head: RunRow, **values: Any) -> None:
    tx.change(update(_table).where(_table.c.id == head.id).values(**values))
    tx.forget_heads()
    tx.touch(head.id, head.experiment)
