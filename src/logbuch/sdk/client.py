"""LogbuchClient: everything about experiments, runs and their files, by id. Names and signatures are MLflow's."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from logbuch.errors import InvalidInput, NotFound
from logbuch.model import DatasetInput, Experiment, Metric, Param, Run, RunStatus, Tag, ViewType
from logbuch.sdk import beginning, values
from logbuch.sdk.artifacts.client import ArtifactClient
from logbuch.sdk.connection import Connection, connect
from logbuch.sdk.entities import MetricWithRunId, PagedList
from logbuch.sdk.recording import capture
from logbuch.sdk.registry import loggedmodels
from logbuch.sdk.registry.loggedmodels import LoggedModelClient
from logbuch.sdk.registry.registering import RegistryClient
from logbuch.sdk.shipping.delivery import Files
from logbuch.sdk.waiting import RunOperations, done
from logbuch.sdk.writer import RunWriter

_HISTORY_PAGE = 25_000


class LogbuchClient(ArtifactClient, RegistryClient, LoggedModelClient):
    """A client of the server or folder at ``tracking_uri``, by default the one of the process.

    What logs is queued and returns at once, unless ``synchronous`` is true; what reads sees all that this process has
    logged. A run that does not exist is an error at the first call. Errors are :class:`LogbuchError`.
    """

    def __init__(self, tracking_uri: str | os.PathLike[str] | None = None, registry_uri: str | None = None) -> None:
        self._uri = os.fspath(tracking_uri) if tracking_uri is not None else None
        self._registry_uri = registry_uri

    @property
    def tracking_uri(self) -> str:
        return self._connection.key

    # -- experiments -----------------------------------------------------------------------------------------------

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None
    ) -> str:
        """Creates an experiment and returns its id."""
        wanted = [values.as_experiment_tag(key, value) for key, value in (tags or {}).items()]
        return self._connection.backend.create_experiment(name, str(artifact_location or ""), wanted)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self._connection.backend.get_experiment(str(experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment of this name, deleted or not; None if there is none."""
        try:
            return self._connection.backend.get_experiment_by_name(name)
        except NotFound:
            return None

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """One page of experiments."""
        found, token = self._connection.backend.search_experiments(
            _view(view_type), max_results or 1000, filter_string or "", order_by or (), page_token or ""
        )
        return PagedList(found, token)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._connection.backend.rename_experiment(str(experiment_id), new_name)

    def delete_experiment(self, experiment_id: str) -> None:
        self._connection.settle().delete_experiment(str(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        self._connection.backend.restore_experiment(str(experiment_id))

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        self._connection.backend.set_experiment_tag(str(experiment_id), values.as_experiment_tag(key, value))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._connection.backend.delete_experiment_tag(str(experiment_id), key)

    # -- runs --------------------------------------------------------------------------------------------------------

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Creates a run. It is not active, and ends only by :meth:`set_terminated`."""
        wanted = {values.check_key(key, "tag key"): values.as_tag(value, key) for key, value in (tags or {}).items()}
        connection = self._connection
        run = beginning.create(
            connection,
            str(experiment_id),
            "",
            run_name or "",
            wanted.get(capture.USER) or capture.user(),
            start_time if start_time is not None else time.time_ns() // 1_000_000,
            wanted,
        )
        connection.adopt(run)
        return run

    def get_run(self, run_id: str) -> Run:
        return self._connection.settle().get_run(run_id)

    def get_parent_run(self, run_id: str) -> Run | None:
        parent = self.get_run(run_id).data.tags.get(values.PARENT_TAG)
        return self.get_run(parent) if parent else None

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Sets a run's status or name."""
        wanted = values.as_status(status) if status is not None else None
        self._connection.settle().update_run(run_id, wanted, None, name or "")

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """Ends a run: FINISHED by default, now by default (``end_time`` in Unix ms)."""
        connection, writer = self._writer(run_id)
        wanted = values.as_status(status) if status is not None else RunStatus.FINISHED
        moment = end_time if end_time is not None else time.time_ns() // 1_000_000
        writer.end(wanted, values.as_integer(moment, "end_time"))
        RunOperations(connection, Files.DUE).wait()

    def delete_run(self, run_id: str) -> None:
        self._connection.settle().delete_run(run_id)
        self._connection.forget(run_id)

    def restore_run(self, run_id: str) -> None:
        self._connection.backend.restore_run(run_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str] | str,
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """One page of runs; ``.token`` of the answer asks for the next."""
        ids = [experiment_ids] if isinstance(experiment_ids, (str, int)) else experiment_ids
        found, token = self._connection.settle().search_runs(
            [str(id_) for id_ in ids],
            filter_string or "",
            _view(run_view_type),
            max_results,
            [order_by] if isinstance(order_by, str) else order_by or (),
            page_token or "",
        )
        return PagedList(found, token)

    # -- logging -----------------------------------------------------------------------------------------------------

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
    ) -> RunOperations:
        """Logs a point; ``timestamp`` in Unix ms."""
        connection, writer = self._writer(run_id)
        writer.metric(key, value, step, timestamp)
        return done(connection, synchronous)

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Logs a param and returns its value."""
        connection, writer = self._writer(run_id)
        writer.params({key: value})
        done(connection, synchronous)
        return value

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> RunOperations:
        connection, writer = self._writer(run_id)
        writer.tags({key: value})
        return done(connection, synchronous)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Takes a tag away; ``NotFound`` if the run has none of this name."""
        connection, writer = self._writer(run_id)
        if not connection.sender.flush(1.0):
            writer.delete_tag(key)
            return
        connection.backend.delete_tag(run_id, key)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations:
        """Logs any number of metrics, params and tags."""
        connection, writer = self._writer(run_id)
        writer.params({param.key: param.value for param in params})
        writer.tags({tag.key: tag.value for tag in tags})
        for point in metrics:
            writer.metric(point.key, point.value, point.step, point.timestamp)
        return done(connection, synchronous)

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None) -> None:
        """Notes the data sets that a run used."""
        self._writer(run_id)[1].inputs(datasets or ())

    # -- history -----------------------------------------------------------------------------------------------------

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """All points of a metric, in the order of time."""
        backend = self._connection.settle()
        found, token = backend.metric_history(run_id, key, _HISTORY_PAGE, "")
        while token:
            page, token = backend.metric_history(run_id, key, _HISTORY_PAGE, token)
            found += page
        return found

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int = 320,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[MetricWithRunId]:
        """Points of one metric of up to 100 runs, at most ``max_results`` a run, evenly spread between two steps."""
        if (start_step is None) != (end_step is None):
            raise InvalidInput("Give both start_step and end_step, or neither.")
        steps = (start_step, end_step) if start_step is not None and end_step is not None else None
        found = self._connection.settle().sampled_history(run_ids, metric_key, max_results, steps)
        return [
            MetricWithRunId(point.key, point.value, point.timestamp, point.step, run_id)
            for run_id, points in found.items()
            for point in points
        ]

    def logged_model_of_run(self, run_id: str, name: str) -> str | None:
        """The ID of the newest logged model of this name that a run made; None if it made none."""
        return loggedmodels.of_run(self._connection.settle(), run_id, name)

    def close(self) -> None:
        """Waits until all that was logged has arrived."""
        RunOperations(self._connection, Files.ALL).wait()

    # ----------------------------------------------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection:
        return connect(self._uri)

    def _writer(self, run_id: str) -> tuple[Connection, RunWriter]:
        connection = self._connection
        return connection, connection.writer(run_id)


def experiment_ids(backend: Any, names: Sequence[str]) -> list[str]:
    """The ids of experiments by name; those that do not exist are left out."""
    found = []
    for name in names:
        try:
            found.append(backend.get_experiment_by_name(name).experiment_id)
        except NotFound:
            continue
    return found


def _view(value: int | str) -> ViewType:
    try:
        return ViewType[value.upper()] if isinstance(value, str) else ViewType(value)
    except (KeyError, ValueError):
        raise InvalidInput(
            f"Invalid view type {value!r}: it must be one of {', '.join(ViewType.__members__)}."
        ) from None
