"""Saved views: a name for a state of an experiment's page, which is the query string of its address."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from logbuch import limits
from logbuch.errors import AlreadyExists, InvalidInput, NotFound
from logbuch.model import Noun
from logbuch.store import experiments, schema
from logbuch.store.tx import Tx

_table = schema.views


class View(Noun, frozen=True, kw_only=True):
    """A saved view. ``is_default``: the experiment's page shows it when it is opened without a view."""

    view_id: str
    experiment_id: str
    name: str
    state: str
    is_default: bool
    creation_time: int
    last_update_time: int


def of_experiment(tx: Tx, experiment_id: str) -> list[View]:
    """The views of an experiment by name; NotFound if there is no such experiment."""
    experiment = int(experiments.get(tx, experiment_id).experiment_id)
    query = select(_table).where(_table.c.experiment == experiment).order_by(_table.c.name)
    return [_noun(row) for row in tx.execute(query)]


def get(tx: Tx, view_id: str) -> View:
    return _noun(_row(tx, view_id))


def create(tx: Tx, experiment_id: str, name: str, state: str) -> View:
    """Saves a view under a name that the experiment does not have yet."""
    experiment = experiments.require(tx, experiment_id)
    known = int(tx.execute(select(func.count()).where(_table.c.experiment == experiment)).scalar_one())
    if known >= limits.VIEWS_PER_EXPERIMENT:
        raise InvalidInput(f"The experiment {experiment_id} has {known} views, which is the most it can have.")
    now = tx.now()
    values: dict[str, Any] = {"id": uuid.uuid4().hex[:12], "experiment": experiment, "is_default": False}
    values |= {"creation_time": now, "last_update_time": now}
    values |= _checked(name, state)
    _unique(tx, experiment, name)
    try:
        tx.change(_table.insert().values(**values))
    except IntegrityError:  # another replica was faster
        raise _name_taken(name) from None
    return get(tx, str(values["id"]))


def change(tx: Tx, view_id: str, name: str | None = None, state: str | None = None) -> View:
    """Renames a view, or saves another state under it."""
    row = _row(tx, view_id)
    values = _checked(name, state)
    if name is not None and name != row.name:
        _unique(tx, row.experiment, name)
    if values:
        tx.change(update(_table).where(_table.c.id == row.id).values(last_update_time=tx.now(), **values))
    return get(tx, view_id)


def set_default(tx: Tx, experiment_id: str, view_id: str | None) -> None:
    """Makes one of an experiment's views the one that its page opens with; None leaves it without."""
    experiment = experiments.require(tx, experiment_id)
    tx.change(update(_table).where(_table.c.experiment == experiment).values(is_default=False))
    if view_id is None:
        return
    row = _row(tx, view_id)
    if row.experiment != experiment:
        raise InvalidInput(f"The view {row.id} belongs to the experiment {row.experiment}, not to {experiment_id}.")
    tx.change(update(_table).where(_table.c.id == row.id).values(is_default=True))


def remove(tx: Tx, view_id: str) -> None:
    tx.change(delete(_table).where(_table.c.id == _row(tx, view_id).id))


def _row(tx: Tx, view_id: str) -> Row[Any]:
    row: Row[Any] | None = None
    if limits.is_storable(view_id):
        row = tx.execute(select(_table).where(_table.c.id == view_id)).first()
    if row is None:
        raise NotFound(f"There is no view with id={limits.clip(view_id)!r}.")
    return row


def _noun(row: Row[Any]) -> View:
    return View(
        view_id=row.id,
        experiment_id=str(row.experiment),
        name=row.name,
        state=row.state,
        is_default=row.is_default,
        creation_time=row.creation_time,
        last_update_time=row.last_update_time,
    )


def _checked(name: str | None, state: str | None) -> Mapping[str, str]:
    values = {}
    if name is not None:
        if not name.strip():
            raise InvalidInput("Missing value for required parameter 'name': a view must have a name.")
        values["name"] = limits.check_text(name, "name", limits.VIEW_NAME_LENGTH)
    if state is not None:
        values["state"] = limits.check_text(state, "state", limits.VIEW_STATE_LENGTH)
    return values


def _unique(tx: Tx, experiment: int, name: str) -> None:
    taken = (_table.c.experiment == experiment) & (_table.c.name == name)
    if tx.execute(select(_table.c.id).where(taken)).first() is not None:
        raise _name_taken(name)


def _name_taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"The experiment already has a view named {limits.clip(name)!r}.")
