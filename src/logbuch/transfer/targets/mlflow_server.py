"""A running MLflow server as the target, over its own REST protocol.

MLflow gives runs IDs of its own: the one that a run had stands in the tag ``logbuch.run_id``, by which it is found
again. Times of experiments and of deletions are the server's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec
import numpy as np

from logbuch import limits
from logbuch.errors import LogbuchError, NotFound, Unavailable
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import Experiment, LifecycleStage, Metric, Run, RunInfo, RunInputs, RunStatus, Tag, ViewType
from logbuch.registry import MovedRegistration, Refusal
from logbuch.sdk.backends.backend import Batch
from logbuch.sdk.backends.http import HttpBackend
from logbuch.sdk.backends.transport import Transport
from logbuch.sdk.shipping.rest import MADE_TAG
from logbuch.store.census import Census
from logbuch.store.metrics.incoming import Incoming
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.target import Known
from logbuch.transfer.targets.copies import copied
from logbuch.transfer.targets.mlflow_models import MlflowModels

PARENT_TAG = "mlflow.parentRunId"
HISTORY_AT_ONCE, RUNS_AT_ONCE = 25_000, 500


class MlflowServer:
    """See :class:`logbuch.transfer.target.Target`. Run IDs in its calls are the source's."""

    keeps_ids = False

    def __init__(self, uri: str, report: Report) -> None:
        self.report = report
        self._backend, self._transport = HttpBackend(uri), Transport(uri)
        self.name = self._backend.uri
        self._there: dict[str, Run] = {}
        """The runs of the experiment at hand that are there, by the ID that they had."""
        self._ids: dict[str, str] = {}
        self._models = MlflowModels(self._backend, self._transport, self._ids)
        self._open: set[str] = set()
        self._reopened: set[str] = set()

    # -- experiments ---------------------------------------------------------------------------------------------------

    def experiment(self, wanted: Experiment) -> str:
        try:
            found = self._backend.get_experiment_by_name(wanted.name)
        except NotFound:
            self._there = {}
            self.report.note("experiments whose ID and times are the server's")
            return self._backend.create_experiment(wanted.name, "", wanted.tag_list)
        id_ = found.experiment_id
        if found.lifecycle_stage is LifecycleStage.DELETED:
            self._backend.restore_experiment(id_)  # else it takes nothing; it is deleted again at the end
            self._reopened.add(id_)
        for tag in wanted.tag_list:
            if tag.key not in found.tags:
                self._backend.set_experiment_tag(id_, tag)
        self._there = self._moved_before(id_)
        return id_

    def _moved_before(self, experiment_id: str) -> dict[str, Run]:
        found, token = {}, ""
        while True:
            page, following = self._backend.search_runs([experiment_id], "", ViewType.ALL, RUNS_AT_ONCE, (), token)
            for run in page:
                made = run.data.tags.get(MADE_TAG)
                if made:
                    found[made] = run
                    self._ids[made] = run.info.run_id
            if not following:
                return found
            token = following

    def close_experiment(self, experiment_id: str, wanted: Experiment) -> None:
        if wanted.lifecycle_stage is LifecycleStage.DELETED or experiment_id in self._reopened:
            self._backend.delete_experiment(experiment_id)

    # -- runs ----------------------------------------------------------------------------------------------------------

    def known(self, run_ids: Sequence[str]) -> Mapping[str, Known]:
        found = {}
        for run_id in run_ids:
            if run_id in self._there:
                run = self._as_it_was(self._there[run_id])
                found[run_id] = Known(run, self._census(run, self._ids[run_id]))
        return found

    def begin(self, wanted: SourceRun, missing: Run) -> None:
        info = missing.info
        if not self._reopen(wanted):
            tags = [*self._as_it_will_be(missing.data.tag_list), Tag(key=MADE_TAG, value=info.run_id)]
            made = self._backend.create_run(
                wanted.experiment_id, info.run_name, info.user_id, info.start_time, tags[: limits.TAGS_PER_BATCH]
            )
            self._ids[info.run_id] = made.info.run_id
            self._open.add(info.run_id)
            rest = tags[limits.TAGS_PER_BATCH :]
        else:
            rest = self._as_it_will_be(missing.data.tag_list)
        id_ = self._ids[info.run_id]
        for start in range(0, len(rest), limits.TAGS_PER_BATCH):
            self._log(Batch(id_, tags=rest[start : start + limits.TAGS_PER_BATCH]), "tags", info)
        params = missing.data.param_list
        for start in range(0, len(params), limits.PARAMS_PER_BATCH):
            self._log(Batch(id_, params=list(params[start : start + limits.PARAMS_PER_BATCH])), "params", info)
        self._models.note(missing)
        if missing.inputs.dataset_inputs:
            self._try(f"data sets of run {info.run_id}", self._backend.log_inputs, id_, missing.inputs.dataset_inputs)

    def _reopen(self, wanted: SourceRun) -> bool:
        """Whether the run is there; a deleted one takes nothing before it is restored."""
        run_id = wanted.run.info.run_id
        there = self._ids.get(run_id)
        if there is None:
            return False
        if run_id not in self._open:
            self._open.add(run_id)
            if run_id in self._there and self._there[run_id].info.lifecycle_stage is LifecycleStage.DELETED:
                self._backend.restore_run(there)
        return True

    def points(self, wanted: SourceRun, points: Incoming) -> None:
        self._reopen(wanted)
        info = wanted.run.info
        columns = (np.asarray(one).tolist() for one in (points.index, points.steps, points.timestamps, points.values))
        metrics = [
            Metric(key=points.names[place], step=step, timestamp=timestamp, value=value)
            for place, step, timestamp, value in zip(*columns, strict=True)
        ]
        for start in range(0, len(metrics), limits.METRICS_PER_BATCH):
            part = metrics[start : start + limits.METRICS_PER_BATCH]
            self._log(Batch(self._ids[info.run_id], metrics=part), "points", info)

    def end(self, wanted: SourceRun) -> None:
        info = wanted.run.info
        if info.run_id not in self._open:
            return
        self._open.discard(info.run_id)
        there = self._ids[info.run_id]
        if info.status is not RunStatus.RUNNING or info.end_time:
            self._try(f"end of run {info.run_id}", self._backend.update_run, there, info.status, info.end_time)
        if info.lifecycle_stage is LifecycleStage.DELETED:
            self._try(f"deletion of run {info.run_id}", self._backend.delete_run, there)

    def have(self, run_id: str, key: str) -> Incoming:
        return Incoming.of(self._history(self._ids[run_id], key))

    def flush(self) -> None:
        """Nothing is put off."""

    def count(self, run_ids: Sequence[str]) -> Mapping[str, Census]:
        found = {}
        for run_id in run_ids:
            there = self._ids.get(run_id)
            if there is not None:
                found[run_id] = self._census(self._backend.get_run(there), there)
        return found

    def _census(self, run: Run, there: str) -> Census:
        return Census(
            params=len(run.data.params),
            tags=len(run.data.tags.keys() - {MADE_TAG}),
            datasets=len(run.inputs.dataset_inputs),
            points=sum(len(self._history(there, key)) for key in run.data.metrics),
        )

    def _history(self, there: str, key: str) -> list[Metric]:
        found, token = [], ""
        while True:
            page, following = self._backend.metric_history(there, key, HISTORY_AT_ONCE, token)
            found += page
            if not following:
                return found
            token = following

    # -- parents -------------------------------------------------------------------------------------------------------

    def _as_it_will_be(self, tags: Sequence[Tag]) -> list[Tag]:
        """Tags in which a parent run is called by the ID that it has there."""
        return [_called(tag, self._ids) for tag in tags]

    def _as_it_was(self, run: Run) -> Run:
        """A run with the tags and inputs that its source would tell."""
        before = {there: run_id for run_id, there in self._ids.items()}
        tags = tuple(_called(tag, before) for tag in run.data.tag_list if tag.key != MADE_TAG)
        inputs = RunInputs(dataset_inputs=run.inputs.dataset_inputs)
        return msgspec.structs.replace(run, data=msgspec.structs.replace(run.data, tag_list=tags), inputs=inputs)

    # -- files ---------------------------------------------------------------------------------------------------------

    def has_file(self, wanted: SourceRun, file: SourceFile) -> bool:
        folder = file.path.rpartition("/")[0]
        listed = self._backend.list_artifacts(self._info(wanted), folder)
        sizes = {one.path: one.file_size for one in listed if not one.is_dir}
        return file.path in sizes and file.size in (None, sizes[file.path])

    def file(self, wanted: SourceRun, file: SourceFile, open_: Callable[[], BinaryIO]) -> None:
        with copied(open_) as copy:
            self._backend.upload(self._info(wanted), file.path, copy)

    def _info(self, wanted: SourceRun) -> RunInfo:
        return self._backend.get_run(self._ids[wanted.run.info.run_id]).info

    # -- models --------------------------------------------------------------------------------------------------------

    def logged_model(self, experiment_id: str, wanted: MovedModel) -> list[Refusal]:
        return self._models.logged(experiment_id, wanted)

    def has_model_file(self, experiment_id: str, model: LoggedModel, file: SourceFile) -> bool:  # noqa: ARG002
        return self._models.has_file(model, file)

    def model_file(
        self,
        experiment_id: str,  # noqa: ARG002
        model: LoggedModel,
        file: SourceFile,
        open_: Callable[[], BinaryIO],
    ) -> None:
        self._models.file(model, file, open_)

    def registered_model(self, wanted: MovedRegistration) -> list[Refusal]:
        return self._models.registered(wanted)

    def close(self) -> None:
        self._backend.close()
        self._transport.close()

    # -- sending -------------------------------------------------------------------------------------------------------

    def _log(self, batch: Batch, what: str, info: RunInfo) -> None:
        for verdict in self._backend.log_batches([batch]):
            if verdict is not None:
                self.report.lost(f"{what} of run {info.run_id}", verdict.message)

    def _try(self, what: str, call: Callable[..., Any], *arguments: Any) -> None:
        """What the server refuses is told, and the rest goes on."""
        try:
            call(*arguments)
        except Unavailable:
            raise
        except LogbuchError as error:
            self.report.lost(what, error.message)


def _called(tag: Tag, names: Mapping[str, str]) -> Tag:
    return Tag(key=tag.key, value=names.get(tag.value, tag.value)) if tag.key == PARENT_TAG else tag
