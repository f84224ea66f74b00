"""LogbuchClient: everything about experiments, runs and their files, by id. Names and signatures are MLflow's."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logbuch import settings
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import DatasetInput, Experiment, FileInfo, Metric, Param, Run, RunStatus, Tag, ViewType
from logbuch.sdk import beginning, values
from logbuch.sdk.artifacts import archives, files
from logbuch.sdk.connection import Connection, connect
from logbuch.sdk.content import pictures, render, tablefiles
from logbuch.sdk.entities import MetricWithRunId, PagedList
from logbuch.sdk.recording import capture
from logbuch.sdk.registry import loggedmodels
from logbuch.sdk.registry.loggedmodels import LoggedModelClient
from logbuch.sdk.registry.registering import RegistryClient
from logbuch.sdk.shipping.delivery import Files
from logbuch.sdk.writer import RunWriter

_HISTORY_PAGE = 25_000
_SYNCHRONOUS_SECONDS, _SILENT_SECONDS = 10.0, 2.0


class RunOperations:
    """What a logging call hands back: the record is queued, and ``wait`` waits until it has arrived."""

    def __init__(self, connection: Connection, files: Files = Files.NONE) -> None:
        self._connection = connection
        self._files = files

    def wait(self) -> None:
        """Waits until everything logged so far has arrived, at most as long as the setting ``finish_timeout``."""
        self._flush(settings.FINISH_TIMEOUT.number())

    def wait_shortly(self) -> None:
        """Waits as a call does that logs ``synchronous``: five seconds at most, and hardly if nobody answers."""
        longest = _SILENT_SECONDS if self._connection.backend.silent else _SYNCHRONOUS_SECONDS
        self._flush(min(longest, settings.FINISH_TIMEOUT.number()))

    def _flush(self, seconds: float) -> None:
        self._connection.sender.flush(seconds, patient=True, files=self._files)


class LogbuchClient(RegistryClient, LoggedModelClient):
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
        return _done(connection, synchronous)

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Logs a param and returns its value."""
        connection, writer = self._writer(run_id)
        writer.params({key: value})
        _done(connection, synchronous)
        return value

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> RunOperations:
        connection, writer = self._writer(run_id)
        writer.tags({key: value})
        return _done(connection, synchronous)

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
        return _done(connection, synchronous)

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

    # -- files -------------------------------------------------------------------------------------------------------

    def log_artifact(self, run_id: str, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Keeps a file, or a folder with all it holds, as it is now."""
        connection, writer = self._writer(run_id)
        place = Path(local_path)
        folder = files.join(artifact_path, place.resolve().name) if place.is_dir() else artifact_path
        for file, name in files.local_files(place):
            files.put_file(connection, writer, file, files.join(folder, name))

    def log_artifacts(
        self,
        run_id: str,
        local_dir: str | os.PathLike[str],
        artifact_path: str | None = None,
        compress: str | None = None,
    ) -> None:
        """Keeps the content of a folder; with ``compress`` (``tar.gz`` or ``tar.zst``) as one archive of its name."""
        connection, writer = self._writer(run_id)
        if not Path(local_dir).is_dir():
            raise InvalidInput(f"No such folder: {str(local_dir)!r}")
        if compress is not None:
            files.put_archive(connection, writer, Path(local_dir), artifact_path, compress)
            return
        for file, name in files.local_files(local_dir):
            files.put_file(connection, writer, file, files.join(artifact_path, name))

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Keeps text as a file in UTF-8."""
        self._put(run_id, artifact_file, text.encode())

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Keeps a dict or list as JSON, or as YAML if the name ends in .yaml or .yml.

        Without PyYAML such a file holds JSON too, which is valid YAML.
        """
        self._put(run_id, artifact_file, render.dictionary(dictionary, artifact_file))

    def log_stream(self, run_id: str, stream: Any, artifact_file: str) -> None:
        """Keeps what a binary stream holds."""
        self._put(run_id, artifact_file, stream.read())

    def log_figure(
        self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Keeps a figure of matplotlib or plotly; the name's suffix says in which format."""
        self._put(run_id, artifact_file, render.figure(figure, artifact_file, save_kwargs))

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Keeps a picture under a name, or under a ``key`` as one of a series over steps. See :class:`Image`."""
        connection, writer = self._writer(run_id)
        pictures.log(connection, writer, image, artifact_file, key, step, timestamp)
        _done(connection, synchronous, Files.DUE)

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Appends rows, of a dict of columns or a DataFrame, to a table in a JSON file."""
        connection, writer = self._writer(run_id)
        tablefiles.log(connection, writer, data, artifact_file)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: Sequence[str] | None = None,
        extra_columns: Sequence[str] | None = None,
    ) -> Any:
        """The rows of a table of all runs of an experiment (or of some) as one DataFrame. ``extra_columns`` are
        fields of the runs: ``run_id`` and those of :func:`search_runs`."""
        backend = self._connection.settle(Files.DUE)
        return tablefiles.load(backend, str(experiment_id), artifact_file, run_ids, extra_columns or ())

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """The files and folders directly below a path of a run's artifacts."""
        backend = self._connection.settle(Files.DUE)
        return backend.list_artifacts(backend.get_run(run_id).info, path or "")

    def download_artifacts(self, run_id: str, path: str, dst_path: str | None = None, unpack: bool = False) -> str:
        """Downloads a file or a folder and returns the local path; below a new temporary folder by default.

        With ``unpack`` an archive (``tar.gz``, ``tar.zst``) becomes the folder that was packed.
        """
        found = files.fetch(self._connection.settle(Files.DUE), run_id, path, dst_path)
        return str(archives.unpacked(found) if unpack else found)

    def download_location(self, location: str, path: str | None = None, dst_path: str | None = None) -> Path:
        """Downloads what lies below ``mlflow-artifacts:/…``, where a server keeps the files of a model."""
        return files.fetch_location(self._connection.settle(Files.DUE), location, path or "", dst_path)

    def logged_model_of_run(self, run_id: str, name: str) -> str | None:
        """The ID of the newest logged model of this name that a run made; None if it made none."""
        return loggedmodels.of_run(self._connection.settle(), run_id, name)

    def get_artifact_uri(self, run_id: str, artifact_path: str | None = None) -> str:
        """Where a run's files are kept."""
        connection, writer = self._writer(run_id)
        return connection.backend.artifact_uri(writer.info, artifact_path or "")

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

    def _put(self, run_id: str, path: str, content: bytes) -> None:
        files.put_content(*self._writer(run_id), path, content)


def experiment_ids(backend: Any, names: Sequence[str]) -> list[str]:
    """The ids of experiments by name; those that do not exist are left out."""
    found = []
    for name in names:
        try:
            found.append(backend.get_experiment_by_name(name).experiment_id)
        except NotFound:
            continue
    return found


def _done(connection: Connection, synchronous: bool | None, files: Files = Files.NONE) -> RunOperations:
    operations = RunOperations(connection, files)
    if synchronous:
        operations.wait_shortly()
    return operations


def _view(value: int | str) -> ViewType:
    try:
        return ViewType[value.upper()] if isinstance(value, str) else ViewType(value)
    except (KeyError, ValueError):
        raise InvalidInput(
            f"Invalid view type {value!r}: it must be one of {', '.join(ViewType.__members__)}."
        ) from None
