"""A running Logbuch server as the target: runs and points by the native ingest protocol, the rest over REST.

What that protocol does not carry is the server's: an experiment's ID and times, and when a run was deleted.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec
import numpy as np

from logbuch import limits
from logbuch.errors import EndpointNotFound, InvalidInput, NotFound
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import DatasetInput, Experiment, FileInfo, LifecycleStage, Run, RunInfo, RunStatus
from logbuch.registry import MovedRegistration, Refusal
from logbuch.sdk.backends.http import HttpBackend
from logbuch.sdk.backends.transport import SLOW_SECONDS, Transport
from logbuch.store.census import Census
from logbuch.store.experiments import LOCATION_SCHEME
from logbuch.store.histograms import Histogram
from logbuch.store.logs import LogHead
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer import output
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.target import Known, deleted_with
from logbuch.transfer.targets.copies import copied
from logbuch.wire import ingest, moved

BATCH_BYTES, BATCH_RECORDS = 8 * 1024 * 1024, 500
POINTS_AT_ONCE = 200_000
HISTORY_AT_ONCE = 25_000
MLFLOW, _TAKE = "/api/2.0/mlflow", "/api/logbuch/1/registry/take"


class LogbuchServer:
    """See :class:`logbuch.transfer.target.Target`."""

    keeps_ids = True

    def __init__(self, uri: str, report: Report) -> None:
        self.report = report
        self._backend, self._transport = HttpBackend(uri), Transport(uri)
        self.name = self._backend.uri
        self._journal, self._number = uuid.uuid4().hex, 0
        self._before = self._chain = b""
        self._entries: list[tuple[int, bytes, bytes]] = []
        self._bytes = 0
        self._open: set[str] = set()
        self._known: set[str] = set()
        self._reopened: set[str] = set()
        self._experiment: Experiment | None = None
        self._listed: tuple[str, dict[str, int | None]] = ("", {})
        try:
            self._backend.greet([])
        except EndpointNotFound:
            self.close()
            raise InvalidInput(f"{self.name} is no Logbuch server, or too old a one.") from None

    # -- experiments ---------------------------------------------------------------------------------------------------

    def experiment(self, wanted: Experiment) -> str:
        self._experiment = wanted
        try:
            found = self._backend.get_experiment_by_name(wanted.name)
        except NotFound:
            id_ = self._backend.create_experiment(wanted.name, "", wanted.tag_list)
            self.report.note("experiments whose ID and times are the server's")
            return id_
        id_ = found.experiment_id
        if found.lifecycle_stage is LifecycleStage.DELETED:
            self._backend.restore_experiment(id_)  # else it takes nothing; it is deleted again at the end
            self._reopened.add(id_)
        for tag in wanted.tag_list:
            if tag.key not in found.tags:
                self._backend.set_experiment_tag(id_, tag)
        return id_

    def close_experiment(self, experiment_id: str, wanted: Experiment) -> None:
        self.flush()
        if wanted.lifecycle_stage is LifecycleStage.DELETED or experiment_id in self._reopened:
            self._backend.delete_experiment(experiment_id)

    # -- runs ----------------------------------------------------------------------------------------------------------

    def known(self, run_ids: Sequence[str]) -> Mapping[str, Known]:
        counted = self.count(run_ids)
        self._known = set(counted)
        return {run_id: Known(self._backend.get_run(run_id), counts) for run_id, counts in counted.items()}

    def begin(self, wanted: SourceRun, missing: Run) -> None:
        info = missing.info
        tags = [(tag.key, tag.value) for tag in missing.data.tag_list]
        self._open.add(info.run_id)
        if info.run_id not in self._known:
            self._add(
                ingest.NewRun(
                    info.run_id,
                    "",
                    wanted.experiment_id,
                    info.run_name,
                    info.user_id,
                    info.start_time,
                    tags[: limits.TAGS_PER_BATCH],
                )
            )
            tags = tags[limits.TAGS_PER_BATCH :]
        else:
            self._add(ingest.RestoreRun(info.run_id))
        for part in _parts(tags, limits.TAGS_PER_BATCH):
            self._add(ingest.Tags(info.run_id, part))
        for part in _parts([(one.key, one.value) for one in missing.data.param_list], limits.PARAMS_PER_BATCH):
            self._add(ingest.Params(info.run_id, part))
        for used in missing.inputs.dataset_inputs:
            self._add(ingest.Inputs(info.run_id, [_used(used)]))
        if missing.inputs.model_inputs or missing.outputs.model_outputs:
            self.flush()
            inputs = [{"model_id": one.model_id} for one in missing.inputs.model_inputs]
            if inputs:
                self._backend.ask("POST", f"{MLFLOW}/runs/log-inputs", {"run_id": info.run_id, "models": inputs})
            if missing.outputs.model_outputs:
                self._backend.log_outputs(info.run_id, missing.outputs.model_outputs)

    def points(self, wanted: SourceRun, points: Incoming) -> None:
        run_id = wanted.run.info.run_id
        self._reopen(run_id)
        kinds = ("<u4", "<i8", "<i8", "<f8")
        columns = (points.index, points.steps, points.timestamps, points.values)
        for start in range(0, len(points), POINTS_AT_ONCE):
            end = start + POINTS_AT_ONCE
            packed = [_bytes(column[start:end], kind) for column, kind in zip(columns, kinds, strict=True)]
            self._add(ingest.Metrics(run_id, list(points.names), *packed))

    def _reopen(self, run_id: str) -> None:
        """Before a run takes more, which a deleted one does not."""
        if run_id not in self._open:
            self._open.add(run_id)
            self._add(ingest.RestoreRun(run_id))

    def end(self, wanted: SourceRun) -> None:
        info = wanted.run.info
        if info.run_id not in self._open:
            return
        self._open.discard(info.run_id)
        if info.status is not RunStatus.RUNNING or info.end_time:
            self._add(ingest.Update(info.run_id, info.status, info.end_time))
        assert self._experiment is not None
        # What was deleted with the experiment goes with it here too, or it would not come back with it.
        if info.lifecycle_stage is LifecycleStage.DELETED and not deleted_with(self._experiment, wanted):
            self._add(ingest.DeleteRun(info.run_id))

    def have(self, run_id: str, key: str) -> Incoming:
        self.flush()
        found, token = [], ""
        while True:
            part, following = self._backend.metric_history(run_id, key, HISTORY_AT_ONCE, token)
            found += part
            if not following:
                return Incoming.of(found)
            token = following

    def count(self, run_ids: Sequence[str]) -> Mapping[str, Census]:
        body = {"run_ids": list(run_ids)}
        answer = self._transport.call("POST", "/api/logbuch/1/runs/census", body=body, seconds=SLOW_SECONDS)
        return {run_id: msgspec.convert(counts, Census) for run_id, counts in answer["runs"].items()}

    # -- files ---------------------------------------------------------------------------------------------------------

    def has_file(self, wanted: SourceRun, file: SourceFile) -> bool:
        info = self._place(wanted)
        return self._has(info.run_id, file, lambda folder: self._backend.list_artifacts(info, folder))

    def file(self, wanted: SourceRun, file: SourceFile, open_: Callable[[], BinaryIO]) -> None:
        with copied(open_) as copy:
            self._backend.upload(self._place(wanted), file.path, copy)

    def _has(self, owner: str, file: SourceFile, list_: Callable[[str], Sequence[FileInfo]]) -> bool:
        folder = file.path.rpartition("/")[0]
        place = f"{owner}/{folder}"
        if self._listed[0] != place:
            self.flush()
            self._listed = (place, {one.path: one.file_size for one in list_(folder) if not one.is_dir})
        sizes = self._listed[1]
        return file.path in sizes and file.size in (None, sizes[file.path])

    def _place(self, wanted: SourceRun) -> RunInfo:
        info = wanted.run.info
        uri = f"{LOCATION_SCHEME}{wanted.experiment_id}/{info.run_id}/artifacts"
        return msgspec.structs.replace(info, artifact_uri=uri)

    # -- histograms and output -----------------------------------------------------------------------------------------

    def histograms_there(self, run_id: str) -> Container[tuple[str, int, int]]:
        answer = self._transport.call("GET", "/api/logbuch/1/runs/media", query={"run_id": run_id})
        mine = [one for one in answer["media"] if one["kind"] == "histogram"]
        return {(one["key"], *place) for one in mine for place in zip(one["steps"], one["timestamps"], strict=True)}

    def histograms(self, run_id: str, found: Sequence[Histogram]) -> None:
        self._reopen(run_id)
        for one in found:
            self._add(ingest.histogram(run_id, *one))
        self.flush()

    def lines_there(self, run_id: str) -> LogHead:
        answer = self._transport.call("GET", "/api/logbuch/1/runs/logs", query={"run_id": run_id, "limit": 1})
        return output.head_in(answer)

    def lines(self, run_id: str, found: Sequence[LogLines]) -> None:
        self._reopen(run_id)
        for one in found:
            whole = range(0, max(1, len(one.texts)), limits.LOG_LINES_PER_RECORD)
            for start in whole:
                part = slice(start, start + limits.LOG_LINES_PER_RECORD)
                end = (one.open, one.open_time, one.dropped) if start == whole[-1] else ("", 0, 0)
                times, texts = list(one.times[part]), list(one.texts[part])
                self._add(ingest.Log(run_id, one.stream, times, texts, *end, source=one.source))
        self.flush()

    # -- models --------------------------------------------------------------------------------------------------------

    def logged_model(self, experiment_id: str, wanted: MovedModel) -> list[Refusal]:
        return self._take({"experiment_id": experiment_id, "logged": [moved.logged_out(wanted)]})

    def has_model_file(self, experiment_id: str, model: LoggedModel, file: SourceFile) -> bool:
        location = _location(experiment_id, model)
        return self._has(model.model_id, file, lambda folder: self._backend.list_location(location, folder))

    def model_file(
        self, experiment_id: str, model: LoggedModel, file: SourceFile, open_: Callable[[], BinaryIO]
    ) -> None:
        with copied(open_) as copy:
            self._backend.upload_location(_location(experiment_id, model), file.path, copy)

    def registered_model(self, wanted: MovedRegistration) -> list[Refusal]:
        return self._take({"registered": [moved.registered_out(wanted)]})

    def _take(self, body: dict[str, Any]) -> list[Refusal]:
        self.flush()
        answer = self._transport.call("POST", _TAKE, body=body | {"origin": self.report.origin}, seconds=SLOW_SECONDS)
        return msgspec.convert(answer["refused"], list[Refusal])

    # -- sending -------------------------------------------------------------------------------------------------------

    def _add(self, record: Any) -> None:
        raw = ingest.encode_record(record)
        if self._bytes + len(raw) > BATCH_BYTES or len(self._entries) >= BATCH_RECORDS:
            self.flush()
        self._chain = ingest.link(self._chain, raw)
        self._entries.append((1, self._chain, raw))
        self._bytes += len(raw)

    def flush(self) -> None:
        if not self._entries:
            return
        standing = self._backend.ingest(self._journal, self._number + 1, self._before, self._entries)
        self._number, self._before = self._number + len(self._entries), self._chain
        self._entries, self._bytes = [], 0
        for refused in standing.refused:
            self.report.lost(f"a part of run {refused.run_id}", refused.message)

    def close(self) -> None:
        self._backend.close()
        self._transport.close()


def _location(experiment_id: str, model: LoggedModel) -> str:
    return f"{LOCATION_SCHEME}{experiment_id}/models/{model.model_id}/artifacts"


def _bytes(column: Any, kind: str) -> memoryview:
    return memoryview(np.asarray(column).astype(kind).tobytes())


def _parts(items: list[tuple[str, str]], size: int) -> list[list[tuple[str, str]]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _used(used: DatasetInput) -> ingest.UsedDataset:
    dataset = used.dataset
    return ingest.UsedDataset(
        dataset.name,
        dataset.digest,
        dataset.source_type,
        dataset.source,
        dataset.schema,
        dataset.profile,
        [(tag.key, tag.value) for tag in used.tags],
    )
