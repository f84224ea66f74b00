"""Experiments and their tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from logbuch import limits
from logbuch.errors import AlreadyExists, InvalidInput, InvalidState, NotFound
from logbuch.model import Experiment, LifecycleStage, Tag
from logbuch.store import schema
from logbuch.store.seam import new_value
from logbuch.store.tx import Tx, chunks

LOCATION_SCHEME = "mlflow-artifacts:/"
_table = schema.experiments


def create(tx: Tx, name: str, artifact_location: str = "", tags: Sequence[Tag] = ()) -> str:
    """Creates an experiment and returns its id. ``artifact_location`` is a checked folder below the artifact root."""
    limits.check_experiment_name(name)
    for tag in tags:
        _check_tag(tag)
    taken = tx.execute(select(_table.c.deleted).where(_table.c.name == name)).first()
    if taken is not None:
        raise _name_taken(name, deleted=taken.deleted)
    now = tx.now()
    row = {"name": name, "artifact_location": artifact_location, "deleted": False}
    try:
        result = tx.change(_table.insert().values(row | {"creation_time": now, "last_update_time": now}))
    except IntegrityError:  # another replica was faster
        raise _name_taken(name, deleted=False) from None
    assert result.inserted_primary_key is not None
    id_ = int(result.inserted_primary_key[0])
    _write_tags(tx, id_, tags)
    return str(id_)


def get(tx: Tx, experiment_id: str) -> Experiment:
    """The experiment, deleted or not."""
    return nouns(tx, [_row(tx, experiment_id)])[0]


def get_by_name(tx: Tx, name: str) -> Experiment:
    row = tx.execute(select(_table).where(_table.c.name == name)).first() if limits.is_storable(name) else None
    if row is None:
        raise NotFound(f"Could not find experiment with name '{limits.clip(name)}'")
    return nouns(tx, [row])[0]


def rename(tx: Tx, experiment_id: str, name: str) -> None:
    limits.check_experiment_name(name)
    row = _row(tx, experiment_id)
    if row.deleted:
        raise InvalidState(f"Cannot rename the experiment {row.id}: it is deleted.")
    other = tx.execute(select(_table.c.id, _table.c.deleted).where(_table.c.name == name)).first()
    if other is not None and other.id != row.id:
        raise _name_taken(name, deleted=other.deleted)
    _set(tx, row.id, name=name)


def delete_experiment(tx: Tx, experiment_id: str) -> None:
    """Marks an experiment and its active runs as deleted."""
    row = _row(tx, experiment_id)
    if row.deleted:
        raise NotFound(f"No active Experiment with id={row.id} exists")
    _set(tx, row.id, deleted=True)
    runs = schema.runs
    # The runs bear the experiment's own time of deletion: restoring brings back these and no others.
    ours = (runs.c.experiment == row.id) & runs.c.deleted.is_(False)
    _touch_runs(tx, row.id, list(tx.execute(select(runs.c.id).where(ours)).scalars()))
    tx.change(update(runs).where(ours).values(deleted=True, deleted_time=_deletion_mark(tx, row.id)))


def restore(tx: Tx, experiment_id: str) -> None:
    """Brings back an experiment and the runs that were deleted with it."""
    row = _row(tx, experiment_id)
    if not row.deleted:
        raise NotFound(f"No deleted Experiment with id={row.id} exists")
    runs = schema.runs
    theirs = (runs.c.experiment == row.id) & runs.c.deleted & (runs.c.deleted_time == row.last_update_time)
    _touch_runs(tx, row.id, list(tx.execute(select(runs.c.id).where(theirs)).scalars()))
    tx.change(update(runs).where(theirs).values(deleted=False, deleted_time=None))
    _set(tx, row.id, deleted=False)


def set_tag(tx: Tx, experiment_id: str, tag: Tag) -> None:
    _check_tag(tag)
    row = _active(tx, experiment_id)
    _write_tags(tx, row.id, [tag])
    _set(tx, row.id)


def delete_tag(tx: Tx, experiment_id: str, key: str) -> None:
    row = _active(tx, experiment_id)
    table = schema.experiment_tags
    ours = (table.c.experiment == row.id) & (table.c.key == key)
    if not limits.is_storable(key) or tx.change(delete(table).where(ours)).rowcount == 0:
        raise NotFound(f"No tag with name: {limits.clip(key)} in experiment with id {experiment_id}")
    _set(tx, row.id)


def require(tx: Tx, experiment_id: str) -> int:
    """The inner id of an experiment that takes new runs."""
    driver = tx.seam.driver
    query = f"SELECT id FROM experiments WHERE id = {driver.marks(1)} AND NOT deleted"  # noqa: S608
    found = driver.fetch(tx.connection, query, (inner_id(experiment_id),))
    return int(found[0][0] if found else _active(tx, experiment_id).id)


def location(tx: Tx, experiment_id: str) -> str:
    """The folder of an experiment's artifacts below the artifact root."""
    row = _row(tx, experiment_id)
    return row.artifact_location or str(row.id)


def inner_id(experiment_id: str) -> int:
    """The number of an experiment id; -1, which no experiment has, for any other text."""
    number = experiment_id.isascii() and experiment_id.isdigit() and len(experiment_id) < 19
    return int(experiment_id) if number and str(int(experiment_id)) == experiment_id else -1


def nouns(tx: Tx, rows: Sequence[Row[tuple[object, ...]]]) -> list[Experiment]:
    """Rows of the table as experiments, with their tags."""
    tags = _tags_of(tx, [row.id for row in rows])
    return [
        Experiment(
            experiment_id=str(row.id),
            name=row.name,
            artifact_location=f"{LOCATION_SCHEME}{row.id}",
            lifecycle_stage=LifecycleStage.DELETED if row.deleted else LifecycleStage.ACTIVE,
            creation_time=row.creation_time,
            last_update_time=row.last_update_time,
            tag_list=tuple(tags.get(row.id, ())),
        )
        for row in rows
    ]


def _tags_of(tx: Tx, ids: Sequence[int]) -> dict[int, list[Tag]]:
    table = schema.experiment_tags
    found: dict[int, list[Tag]] = {}
    for part in chunks(ids):
        query = select(table).where(table.c.experiment.in_(part)).order_by(table.c.experiment, table.c.key)
        for row in tx.execute(query):
            found.setdefault(row.experiment, []).append(Tag(key=row.key, value=row.value))
    return found


def _row(tx: Tx, experiment_id: str) -> Row[tuple[object, ...]]:
    row: Row[tuple[object, ...]] | None = tx.execute(
        select(_table).where(_table.c.id == inner_id(experiment_id))
    ).first()
    if row is None:
        raise NotFound(f"No Experiment with id={limits.clip(experiment_id)} exists")
    return row


def _active(tx: Tx, experiment_id: str) -> Row[tuple[object, ...]]:
    row = _row(tx, experiment_id)
    if row.deleted:
        raise InvalidInput(f"The experiment {row.id} must be in the 'active' state. Current state is deleted.")
    return row


def _set(tx: Tx, id_: int, **values: object) -> None:
    tx.change(update(_table).where(_table.c.id == id_).values(last_update_time=tx.now(), **values))


def _deletion_mark(tx: Tx, id_: int) -> int:
    return int(tx.execute(select(_table.c.last_update_time).where(_table.c.id == id_)).scalar_one())


def _touch_runs(tx: Tx, id_: int, runs: Iterable[int]) -> None:
    tx.forget_heads()
    for run in runs:
        tx.touch(run, id_)


def _write_tags(tx: Tx, id_: int, tags: Sequence[Tag]) -> None:
    statement = tx.seam.upsert(schema.experiment_tags, new_value)
    tx.insert(statement, [{"experiment": id_, "key": tag.key, "value": tag.value} for tag in tags])


def _check_tag(tag: Tag) -> None:
    limits.check_key(tag.key, "key")
    limits.check_text(tag.value, "value", limits.EXPERIMENT_TAG_VALUE_LENGTH)
    if tag.key == limits.RETENTION_TAG:
        limits.parse_period(tag.value)


def _name_taken(name: str, *, deleted: bool) -> AlreadyExists:
    state = " in deleted state. Restore it, or choose another name." if deleted else "."
    return AlreadyExists(f"Experiment '{limits.clip(name)}' already exists{state}")
