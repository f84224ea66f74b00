"""The experiment that new runs of this process belong to."""

from __future__ import annotations

from logbuch import settings
from logbuch.errors import AlreadyExists, InvalidInput, NotFound
from logbuch.model import Experiment, LifecycleStage
from logbuch.sdk.backend import Backend
from logbuch.sdk.connection import connect

DEFAULT_ID = "0"
_chosen: dict[str, str] = {}


def choose(name: str | None, experiment_id: str | None) -> Experiment:
    """Makes an experiment the current one; one that is named and does not exist is created."""
    if (name is None) == (experiment_id is None):
        raise InvalidInput("Give either the experiment's name or its experiment_id.")
    connection = connect()
    backend = connection.backend
    found = get_or_create(backend, name) if name is not None else backend.get_experiment(str(experiment_id))
    if found.lifecycle_stage is LifecycleStage.DELETED:
        raise InvalidInput(
            f"The experiment {found.name!r} is deleted: restore it with "
            f"restore_experiment({found.experiment_id!r}), or choose another name."
        )
    _chosen[backend.uri] = found.experiment_id
    return found


def current_id(backend: Backend) -> str:
    """The current experiment: chosen, else from the environment, else the default one."""
    chosen = _chosen.get(backend.uri) or settings.EXPERIMENT_ID.get()
    if chosen:
        return chosen
    name = settings.EXPERIMENT_NAME.get()
    return get_or_create(backend, name).experiment_id if name else DEFAULT_ID


def get_or_create(backend: Backend, name: str) -> Experiment:
    try:
        return backend.get_experiment_by_name(name)
    except NotFound:
        pass
    try:
        return backend.get_experiment(backend.create_experiment(name, "", ()))
    except AlreadyExists:  # another process was faster
        return backend.get_experiment_by_name(name)
