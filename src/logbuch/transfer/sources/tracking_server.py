"""A running tracking server as a source, over MLflow's REST protocol: MLflow's or a Logbuch."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO
from urllib.parse import urlencode

import msgspec
import numpy as np

from logbuch.errors import EndpointNotFound, LogbuchError, NotFound, Unavailable
from logbuch.limits import clip
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import Experiment, Metric, Run, ViewType
from logbuch.registry import ModelVersion, MovedRegistration
from logbuch.sdk.backends.http import HttpBackend
from logbuch.sdk.backends.transport import SLOW_SECONDS, Transport
from logbuch.sdk.registry import modelcodec
from logbuch.store.metrics.incoming import Incoming
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.sources.infinities import restore

EXPERIMENTS_AT_ONCE, RUNS_AT_ONCE, POINTS_AT_ONCE = 1000, 500, 25_000
MODELS_AT_ONCE = 100
_MLFLOW = "/api/2.0/mlflow"
_IN_MEMORY = 8 * 1024 * 1024


class TrackingServer:
    """See :class:`logbuch.transfer.source.Source`. ``infinities=False`` leaves the largest doubles as they are."""

    def __init__(
        self, uri: str, report: Report, *, infinities: bool = True, names: Sequence[str] = (), filter_text: str = ""
    ) -> None:
        self._names, self._filter = frozenset(names), filter_text
        self.partial = bool(names or filter_text)
        self.report = report
        self._backend, self._transport = HttpBackend(uri), Transport(uri)
        self.name = self._backend.uri
        self._infinities = infinities

    def experiments(self) -> Iterable[Experiment]:
        token = ""
        while True:
            found, following = self._backend.search_experiments(
                ViewType.ALL, EXPERIMENTS_AT_ONCE, "", ["creation_time ASC"], token
            )
            yield from (one for one in found if not self._names or one.name in self._names)
            if not following:
                return
            token = following

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        token = ""
        with self._telling(f"runs of experiment {clip(experiment.name)!r}"):
            while True:
                found, following = self._backend.search_runs(
                    [experiment.experiment_id],
                    self._filter,
                    ViewType.ALL,
                    RUNS_AT_ONCE,
                    ["attributes.start_time ASC"],
                    token,
                )
                yield from map(SourceRun, found)
                if not following:
                    return
                token = following

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        run_id = run.run.info.run_id
        for key in run.run.data.metrics:
            token = ""
            with self._telling(f"points of metric {key!r} of run {run_id}"):
                while True:
                    found, following = self._backend.metric_history(run_id, key, POINTS_AT_ONCE, token)
                    if found:
                        yield self._columns(key, found)
                    if not following:
                        break
                    token = following

    def _columns(self, key: str, found: list[Metric]) -> Incoming:
        points = sorted(found, key=lambda point: (point.step, point.timestamp))
        values = np.array([point.value for point in points], np.float64)
        if self._infinities:
            restore(values, self.report)
        steps, times = [point.step for point in points], [point.timestamp for point in points]
        index = np.zeros(len(points), np.int64)
        return Incoming([key], index, np.array(steps, np.int64), np.array(times, np.int64), values)

    # -- files ---------------------------------------------------------------------------------------------------------

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        with self._telling(f"artifacts of run {run.run.info.run_id}"):
            yield from self._below(run.run, "")

    def _below(self, run: Run, folder: str) -> Iterator[SourceFile]:
        for info in self._backend.list_artifacts(run.info, folder):
            if info.is_dir:
                yield from self._below(run, info.path)
            else:
                address = "/get-artifact?" + urlencode({"path": info.path, "run_uuid": run.info.run_id})
                yield SourceFile(info.path, info.file_size, address)

    # -- models --------------------------------------------------------------------------------------------------------

    def logged_models(self, experiment: Experiment) -> Iterable[MovedModel]:
        """Those that are not deleted; a server older than MLflow 3 has none."""
        search = {"experiment_ids": [experiment.experiment_id], "max_results": MODELS_AT_ONCE}
        for body in self._found("POST", "logged-models", search, "models"):
            yield MovedModel(model=modelcodec.logged(body))

    def model_files(self, model: LoggedModel) -> Iterator[SourceFile]:
        with self._telling(f"files of logged model {model.model_id}"):
            yield from self._below_model(model.model_id, "")

    def _below_model(self, model_id: str, folder: str) -> Iterator[SourceFile]:
        address = f"{_MLFLOW}/logged-models/{model_id}/artifacts/directories"
        for item in self._pages("GET", address, {"artifact_directory_path": folder}, "files"):
            path = str(item["path"])
            if item.get("is_dir"):
                yield from self._below_model(model_id, path)
            else:
                size = int(item["file_size"]) if "file_size" in item else None
                query = urlencode({"artifact_file_path": path})
                place = f"/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files?{query}"
                yield SourceFile(path, size, place)

    def registered_models(self) -> Iterable[MovedRegistration]:
        versions: defaultdict[str, list[ModelVersion]] = defaultdict(list)
        for body in self._found("GET", "model-versions", {"max_results": MODELS_AT_ONCE}, "model_versions"):
            version = modelcodec.version(body)
            versions[version.name].append(self._placed(version))
        for body in self._found("GET", "registered-models", {"max_results": MODELS_AT_ONCE}, "registered_models"):
            model = modelcodec.model(body)
            mine = tuple(sorted(versions.pop(model.name, ()), key=lambda one: int(one.version)))
            last = max((int(one.version) for one in mine), default=0)
            yield MovedRegistration(model=model, versions=mine, last_version=last)

    def _placed(self, version: ModelVersion) -> ModelVersion:
        """With where its files lie, which searches do not say."""
        if version.source.startswith(("runs:/", "models:/m-")):
            return version
        place, query = "", {"name": version.name, "version": version.version}
        with self._telling(f"place of version {version.version} of model {version.name!r}"):
            place = self._ask("GET", f"{_MLFLOW}/model-versions/get-download-uri", query)["artifact_uri"]
        return msgspec.structs.replace(version, location=place)

    def _found(self, method: str, noun: str, body: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
        with self._telling(noun.replace("-", " ")), suppress(EndpointNotFound):
            yield from self._pages(method, f"{_MLFLOW}/{noun}/search", body, key)

    def _ask(self, method: str, address: str, body: dict[str, Any]) -> dict[str, Any]:
        query, sent = (body, None) if method == "GET" else (None, body)
        return self._transport.call(method, address, seconds=SLOW_SECONDS, query=query, body=sent)

    def _pages(self, method: str, address: str, body: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._ask(method, address, body)
            yield from answer.get(key, ())
            if not answer.get("next_page_token"):
                return
            body = body | {"page_token": answer["next_page_token"]}

    def open(self, file: SourceFile) -> BinaryIO:
        """The server hands the file on, wherever it lies."""
        held: Any = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  whoever asked for it closes it
        try:
            for chunk in self._transport.download(file.place):
                held.write(chunk)
        except EndpointNotFound:
            held.close()
            raise NotFound("the server lists it and does not have it") from None
        except BaseException:
            held.close()
            raise
        held.seek(0)
        made: BinaryIO = held
        return made

    def totals(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        self._backend.close()
        self._transport.close()

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """What the server refuses is told; a server that is gone ends the move, which can be run again."""
        try:
            yield
        except Unavailable:
            raise
        except LogbuchError as error:
            self.report.lost(what, error.message)
