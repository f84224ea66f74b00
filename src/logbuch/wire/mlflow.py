"""MLflow's REST messages: requests as structs, answers as what msgspec encodes.

Fields and their defaults are those of MLflow 3.18's protocol buffers. A field without a default is required.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec

from logbuch import limits
from logbuch.logged import ModelMetric
from logbuch.model import (
    Dataset,
    DatasetInput,
    DatasetSummary,
    Experiment,
    FileInfo,
    Metric,
    Param,
    Run,
    RunInfo,
    RunModel,
    RunStatus,
    Tag,
    ViewType,
)
from logbuch.wire.decode import missing


class Body(msgspec.Struct, kw_only=True):
    """Base of all requests."""

    usual: ClassVar[type[Body] | None] = None
    """The form that nearly all bodies have, where it is read in less time than all that are allowed."""


class WireTag(Body, kw_only=True):
    key: str
    value: str = ""

    def noun(self) -> Tag:
        return Tag(key=self.key, value=self.value)


class WireParam(Body, kw_only=True):
    key: str
    value: str = ""

    def noun(self) -> Param:
        return Param(key=self.key, value=self.value)


class WireDataset(Body, kw_only=True):
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class WireDatasetInput(Body, kw_only=True):
    dataset: WireDataset
    tags: list[WireTag] = []

    def noun(self) -> DatasetInput:
        described = Dataset(**msgspec.structs.asdict(self.dataset))
        return DatasetInput(dataset=described, tags=nouns(self.tags))


class WireRunModel(Body, kw_only=True):
    model_id: str
    step: int = 0

    def noun(self) -> RunModel:
        return RunModel(model_id=self.model_id, step=self.step)


class OfRun(Body, kw_only=True):
    """A request about a run, which old clients name ``run_uuid``."""

    run_id: str = ""
    run_uuid: str = ""

    @property
    def run(self) -> str:
        found = self.run_id or self.run_uuid
        if not found:
            raise missing("run_id")
        return found


class CreateExperiment(Body, kw_only=True):
    name: str
    artifact_location: str = ""
    tags: list[WireTag] = []


class OfExperiment(Body, kw_only=True):
    experiment_id: str


class ExperimentByName(Body, kw_only=True):
    experiment_name: str


class SearchExperiments(Body, kw_only=True):
    max_results: int = 0
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: ViewType = ViewType.ACTIVE_ONLY


class UpdateExperiment(Body, kw_only=True):
    experiment_id: str
    new_name: str


class SetExperimentTag(Body, kw_only=True):
    experiment_id: str
    key: str
    value: str = ""


class DeleteExperimentTag(Body, kw_only=True):
    experiment_id: str
    key: str


class CreateRun(Body, kw_only=True):
    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: int = 0
    tags: list[WireTag] = []


class UpdateRun(OfRun, kw_only=True):
    status: RunStatus | None = None
    end_time: int | None = None
    run_name: str = ""


class DeleteOrRestoreRun(Body, kw_only=True):
    run_id: str


class LogMetric(OfRun, kw_only=True):
    key: str
    value: float
    timestamp: int
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogParam(OfRun, kw_only=True):
    key: str
    value: str = ""


class SetTag(OfRun, kw_only=True):
    key: str
    value: str = ""


class DeleteTag(Body, kw_only=True):
    run_id: str
    key: str


class SearchRuns(Body, kw_only=True):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: ViewType = ViewType.ACTIVE_ONLY
    max_results: int = limits.RUNS_PER_PAGE_DEFAULT
    order_by: list[str] = []
    page_token: str = ""


class ListArtifacts(OfRun, kw_only=True):
    path: str = ""
    page_token: str = ""


class GetHistory(OfRun, kw_only=True):
    metric_key: str
    page_token: str = ""
    max_results: int | None = None


class BulkHistory(Body, kw_only=True):
    run_id: list[str]
    metric_key: str
    max_results: int = limits.HISTORY_PER_PAGE


class BulkInterval(Body, kw_only=True):
    metric_key: str
    run_ids: list[str] = []
    start_step: int | None = None
    end_step: int | None = None
    max_results: int = limits.BULK_INTERVAL_POINTS


class LogBatch(OfRun, kw_only=True):
    metrics: list[ModelMetric] = []
    params: list[WireParam] = []
    tags: list[WireTag] = []

    @property
    def linked(self) -> list[ModelMetric]:
        """The points that a logged model has too."""
        return [point for point in self.metrics if point.model_id]


class RunMetric(Metric, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A point of a run alone, as nearly all are."""


class RunBatch(LogBatch, kw_only=True):
    """A batch without points of logged models."""

    metrics: list[RunMetric] = []  # type: ignore[assignment]

    @property
    def linked(self) -> list[ModelMetric]:
        return []


LogBatch.usual = RunBatch


class LogInputs(Body, kw_only=True):
    run_id: str
    datasets: list[WireDatasetInput] = []
    models: list[WireRunModel] = []


class SearchDatasets(Body, kw_only=True):
    experiment_ids: list[str] = []


class ArtifactPath(Body, kw_only=True):
    path: str = ""


class GetArtifact(OfRun, kw_only=True):
    path: str
    download: str = ""


class ShownArtifact(OfRun, kw_only=True):
    path: str


def nouns(tags: Sequence[WireTag]) -> tuple[Tag, ...]:
    """The tags of a request."""
    return tuple(tag.noun() for tag in tags)


# -- answers ---------------------------------------------------------------------------------------------------------


def number(value: float) -> float | str:
    """A double as protocol buffers write it in JSON: NaN and ±Infinity are words."""
    if math.isfinite(value):
        return value
    return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")


def metrics(points: Iterable[Metric]) -> list[Metric | dict[str, Any]]:
    """Points; the noun itself encodes well where its value is a number."""
    finite = math.isfinite
    return [point if finite(point.value) else _worded(point) for point in points]


def _worded(point: Metric) -> dict[str, Any]:
    return {"key": point.key, "value": number(point.value), "timestamp": point.timestamp, "step": point.step}


def experiment(noun: Experiment) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "experiment_id": noun.experiment_id,
        "name": noun.name,
        "artifact_location": noun.artifact_location,
        "lifecycle_stage": noun.lifecycle_stage,
        "last_update_time": noun.last_update_time,
        "creation_time": noun.creation_time,
        "workspace": "default",
    }
    return shown | ({"tags": noun.tag_list} if noun.tag_list else {})


def run_info(noun: RunInfo) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "run_uuid": noun.run_id,
        "experiment_id": noun.experiment_id,
        "run_name": noun.run_name,
        "user_id": noun.user_id,
        "status": noun.status,
        "start_time": noun.start_time,
        "artifact_uri": noun.artifact_uri,
        "lifecycle_stage": noun.lifecycle_stage,
        "run_id": noun.run_id,
    }
    if noun.end_time is not None:
        shown["end_time"] = noun.end_time
    if noun.lost_time is not None:  # MLflow's clients pass over what they do not know
        shown["lost_time"] = noun.lost_time
    return shown


def run(noun: Run) -> dict[str, Any]:
    data = {
        "metrics": metrics(noun.data.metric_points),
        "params": noun.data.param_list,
        "tags": noun.data.tag_list,
    }
    inputs = {
        "dataset_inputs": [dataset_input(used) for used in noun.inputs.dataset_inputs],
        "model_inputs": [{"model_id": model.model_id} for model in noun.inputs.model_inputs],
    }
    outputs = {"model_outputs": noun.outputs.model_outputs}
    return {"info": run_info(noun.info), "data": present(data), "inputs": present(inputs), "outputs": present(outputs)}


def dataset_input(noun: DatasetInput) -> dict[str, Any]:
    dataset = {key: value for key, value in msgspec.structs.asdict(noun.dataset).items() if value is not None}
    return present({"tags": noun.tags}) | {"dataset": dataset}


def dataset_summary(noun: DatasetSummary) -> dict[str, Any]:
    return {key: value for key, value in msgspec.structs.asdict(noun).items() if value is not None}


def file_info(noun: FileInfo) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": noun.path, "is_dir": noun.is_dir}
    return shown if noun.file_size is None else shown | {"file_size": noun.file_size}


def present(values: dict[str, Any]) -> dict[str, Any]:
    """An answer without its empty fields, which protocol buffers leave out."""
    return {key: value for key, value in values.items() if value}
