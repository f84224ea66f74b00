"""The functions of ``import logbuch``: they work on the active run, and start one where none is active."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from logbuch import settings
from logbuch.errors import InvalidInput
from logbuch.limits import clip
from logbuch.model import Experiment, Run, RunStatus, ViewType
from logbuch.sdk import active, experiments, stack, tables, values
from logbuch.sdk.active import ActiveRun
from logbuch.sdk.backends import place
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.connection import connect, connections
from logbuch.sdk.data import Dataset, as_input
from logbuch.sdk.notes import say
from logbuch.sdk.shipping.delivery import Delivery, Files
from logbuch.sdk.target import operations, target
from logbuch.sdk.waiting import RunOperations

_PAGE = 5000

# -- where runs go -----------------------------------------------------------------------------------------------------


def set_tracking_uri(uri: str | Path) -> None:
    """Says where runs go: a server's address, a folder, ``file:`` or ``sqlite:///FILE``; "" for the default."""
    place.choose(uri)


def get_tracking_uri() -> str:
    """Where runs go: what was set, else the environment's, else ``./.logbuch``."""
    return place.current()


def is_tracking_uri_set() -> bool:
    return place.is_chosen()


# -- experiments -------------------------------------------------------------------------------------------------------


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> Experiment:
    """Makes an experiment the one of all runs to come; a name that does not exist yet is created."""
    return experiments.choose(experiment_name, experiment_id)


def create_experiment(name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None) -> str:
    """Creates an experiment and returns its id; ``AlreadyExists`` if the name is taken."""
    return LogbuchClient().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> Experiment:
    return LogbuchClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """The experiment of this name; None if there is none."""
    return LogbuchClient().get_experiment_by_name(name)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """All experiments that fit, at most ``max_results``."""
    client, found, token = LogbuchClient(), list[Experiment](), ""
    while max_results is None or len(found) < max_results:
        size = 1000 if max_results is None else min(1000, max_results - len(found))
        page = client.search_experiments(view_type, size, filter_string, order_by, token)
        found += page
        if not page.token:
            break
        token = page.token
    return found


def list_experiments(view_type: int = ViewType.ACTIVE_ONLY, max_results: int | None = None) -> list[Experiment]:
    """All experiments, as older programs ask for them."""
    return search_experiments(view_type, max_results)


def delete_experiment(experiment_id: str) -> None:
    LogbuchClient().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    LogbuchClient().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Sets a tag of the current experiment."""
    set_experiment_tags({key: value})


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Sets tags of the current experiment."""
    client, experiment_id = LogbuchClient(), _experiment_id()
    for key, value in tags.items():
        client.set_experiment_tag(experiment_id, key, value)


def delete_experiment_tag(key: str) -> None:
    """Takes a tag of the current experiment away."""
    LogbuchClient().delete_experiment_tag(_experiment_id(), key)


# -- runs --------------------------------------------------------------------------------------------------------------


def end_run(status: str | RunStatus | None = None) -> None:
    """Ends the active run; nothing happens if there is none.

    Without a status it is FINISHED; called while an exception passes (in a ``finally``) it is FAILED, or KILLED for
    a KeyboardInterrupt.
    """
    active.end(None, values.as_status(status) if status is not None else None)


def active_run() -> ActiveRun | None:
    """The active run, as it was when it began."""
    found = stack.top()
    return found.run if found is not None else None


def last_active_run() -> Run | None:
    """The run that was active last, with all that it logged."""
    found = stack.last_id()
    return get_run(found) if found is not None else None


def get_run(run_id: str) -> Run:
    return LogbuchClient().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    return LogbuchClient().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    LogbuchClient().delete_run(run_id)


def restore_run(run_id: str) -> None:
    LogbuchClient().restore_run(run_id)


def search_runs(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: Sequence[str] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """Runs that fit, of the given experiments or else the current one.

    As a DataFrame with columns ``run_id``, ``metrics.loss``, ``params.lr``, ``tags.x`` (a :class:`RunTable` where
    pandas is not installed), or with ``output_format="list"`` as a list of runs.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidInput(f"Unsupported output format: {output_format!r}. Supported are 'pandas' and 'list'.")
    if experiment_ids and experiment_names:
        raise InvalidInput("Give either experiment_ids or experiment_names, not both.")
    ids = _search_ids(experiment_ids, experiment_names, search_all_experiments)
    client, found, token = LogbuchClient(), list[Run](), ""
    while ids and len(found) < max_results:
        size = min(_PAGE, max_results - len(found))
        page = client.search_runs(ids, filter_string, run_view_type, size, order_by, token)
        found += page
        if not page.token:
            break
        token = page.token
    return found if output_format == "list" else tables.frame(tables.of_runs(found))


# -- logging -----------------------------------------------------------------------------------------------------------


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> RunOperations | None:
    """Logs one point of a metric at ``step``; ``timestamp`` in Unix ms. Returns in microseconds."""
    if run_id is None and synchronous is None:
        found = stack.top()
        if found is not None and found.writer is not None:
            found.writer.metric(key, value, step, timestamp)
            return None
    connection, writer = target(run_id)
    writer.metric(key, value, step, timestamp)
    return operations(connection, synchronous)


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> RunOperations | None:
    """Logs points of several metrics at one step: all, or, if one is no number, none."""
    connection, writer = target(run_id)
    writer.metrics(metrics, step, timestamp)
    return operations(connection, synchronous)


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Logs a param, which never changes afterwards, and returns its value."""
    connection, writer = target(None)
    writer.params({key: value})
    operations(connection, synchronous)
    return value


def log_params(
    params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Logs several params: all, or, if one is refused, none."""
    connection, writer = target(run_id)
    writer.params(params)
    return operations(connection, synchronous)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
    return set_tags({key: value}, synchronous)


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None) -> RunOperations | None:
    """Sets tags of the active run."""
    connection, writer = target(None)
    writer.tags(tags)
    return operations(connection, synchronous)


def delete_tag(key: str) -> None:
    """Takes a tag of the active run away; ``NotFound`` if it has none of this name."""
    connection, writer = target(None)
    if not connection.sender.flush(1.0):
        writer.delete_tag(key)
        return
    connection.backend.delete_tag(writer.run_id, key)


def log_input(dataset: Dataset, context: str | None = None, tags: Mapping[str, Any] | None = None) -> None:
    """Notes a data set that the active run uses; ``context`` such as "training"."""
    log_inputs([dataset], [context], [tags])


def log_inputs(
    datasets: Sequence[Dataset],
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, Any] | None] | None = None,
) -> None:
    """Notes data sets that the active run uses."""
    found = zip(datasets, contexts or [None] * len(datasets), tags_list or [None] * len(datasets), strict=True)
    used = tuple(as_input(dataset, context, tags) for dataset, context, tags in found)
    writer = target(None)[1]
    writer.inputs(used)


# -- what waits --------------------------------------------------------------------------------------------------------


def flush(timeout: float | None = None) -> bool:
    """Waits until all that was logged has arrived, ``timeout`` seconds at most (setting ``finish_timeout`` by
    default). Says whether it has."""
    seconds = settings.FINISH_TIMEOUT.number() if timeout is None else timeout
    deadline, arrived = time.monotonic() + seconds, True
    for connection in connections():
        connection.gathered(max(0.0, deadline - time.monotonic()))
        arrived &= connection.sender.flush(max(0.0, deadline - time.monotonic()), patient=True, files=Files.ALL)
    return arrived


def flush_async_logging() -> None:
    """:func:`flush` under MLflow's name."""
    flush()


flush_artifact_async_logging = flush_async_logging


def delivery() -> Delivery:
    """What became of the records of this process: waiting, sent, refused, dropped, and the trouble if there is one."""
    return connect().sender.delivery()


# ----------------------------------------------------------------------------------------------------------------------


def _experiment_id() -> str:
    return experiments.current_id(connect())


def _search_ids(ids: Sequence[str] | None, names: Sequence[str] | None, everywhere: bool) -> list[str]:
    """The experiments to search; a text is one of them, not its letters. Of an unknown name the user hears."""
    if ids:
        return [ids] if isinstance(ids, str) else [str(id_) for id_ in ids]
    if names:
        known = [(name, get_experiment_by_name(name)) for name in ([names] if isinstance(names, str) else names)]
        for name in (name for name, experiment in known if experiment is None):
            say(f"logbuch: search_runs: there is no experiment {clip(name)!r}")
        return [experiment.experiment_id for _, experiment in known if experiment is not None]
    if everywhere:
        return [experiment.experiment_id for experiment in search_experiments(ViewType.ACTIVE_ONLY)]
    return [_experiment_id()]
