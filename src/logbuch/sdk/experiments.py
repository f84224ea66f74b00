"""The experiment that new runs of this process belong to."""

from __future__ import annotations

from typing import NamedTuple

from logbuch import limits, settings
from logbuch.errors import AlreadyExists, InvalidInput, NotFound, Unavailable
from logbuch.model import Experiment, LifecycleStage
from logbuch.sdk import workers
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.connection import Connection, connect
from logbuch.wire import ingest

DEFAULT_ID, DEFAULT_NAME = "0", "Default"


class Place(NamedTuple):
    """An experiment by its ID or, where no server could be asked for that, by its name."""

    experiment_id: str
    name: str


_chosen: dict[str, Place] = {}


def choose(name: str | None, experiment_id: str | None) -> Experiment:
    """Makes an experiment the current one; one that is named and does not exist is created, without a server later."""
    if (name is None) == (experiment_id is None):
        raise InvalidInput("Give either the experiment's name or its experiment_id.")
    connection = connect()
    backend = connection.backend
    found = _by_name(connection, name) if name is not None else backend.get_experiment(str(experiment_id))
    if found.lifecycle_stage is LifecycleStage.DELETED:
        raise InvalidInput(
            f"The experiment {found.name!r} is deleted: restore it with "
            f"restore_experiment({found.experiment_id!r}), or choose another name."
        )
    _chosen[backend.uri] = Place(found.experiment_id, found.name)
    workers.tell(experiments={uri: tuple(place) for uri, place in _chosen.items()})
    return found


def current(connection: Connection) -> Place:
    """The current experiment: chosen, here or by the process that has spawned this one, else from the environment, else
    the default one."""
    uri = connection.backend.uri
    chosen = _chosen.get(uri) or (workers.told("experiments") or {}).get(uri)
    if chosen is not None:
        return Place(*chosen)
    given = settings.EXPERIMENT_ID.get()
    if given:
        return Place(given, "")
    name = settings.EXPERIMENT_NAME.get()
    if not name:
        return Place(DEFAULT_ID, DEFAULT_NAME)
    return Place(_by_name(connection, name).experiment_id, name)


def current_id(connection: Connection) -> str:
    """The ID of the current experiment, for calls that need an answer anyway."""
    found = current(connection)
    return found.experiment_id or get_or_create(connection.backend, found.name).experiment_id


def get_or_create(backend: Backend, name: str) -> Experiment:
    try:
        return backend.get_experiment_by_name(name)
    except NotFound:
        pass
    try:
        return backend.get_experiment(backend.create_experiment(name, "", ()))
    except AlreadyExists:  # another process was faster
        return backend.get_experiment_by_name(name)


def _by_name(connection: Connection, name: str) -> Experiment:
    """An experiment as the server tells it; if none answers, it is made as soon as one does."""
    try:
        if connection.backend.silent:
            raise Unavailable("nobody answered a moment ago")
        return get_or_create(connection.backend, name)
    except Unavailable:
        limits.check_experiment_name(name)
        connection.sender.put(ingest.NewExperiment(name), "", vital=True, counted=False)
        return Experiment(
            experiment_id="",
            name=name,
            artifact_location="",
            lifecycle_stage=LifecycleStage.ACTIVE,
            creation_time=0,
            last_update_time=0,
        )
