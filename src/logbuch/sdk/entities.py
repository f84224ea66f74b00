"""The nouns under MLflow's names, built by position as MLflow's users build them."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from logbuch import model
from logbuch.logged import LoggedModel, LoggedModelStatus
from logbuch.model import (
    DatasetSummary,
    Experiment,
    FileInfo,
    LifecycleStage,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    ViewType,
)
from logbuch.registry import ModelVersion, RegisteredModel, RegisteredModelAlias

__all__ = [
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelOutput",
    "LoggedModelStatus",
    "Metric",
    "MetricWithRunId",
    "ModelVersion",
    "PagedList",
    "Param",
    "RegisteredModel",
    "RegisteredModelAlias",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "RunTag",
    "SourceType",
    "ViewType",
]

T = TypeVar("T")


class Metric(model.Metric, frozen=True, kw_only=False):
    """``Metric(key, value, timestamp, step)``: one point; ``timestamp`` in Unix ms."""

    key: str
    value: float
    timestamp: int
    step: int = 0


class MetricWithRunId(Metric, frozen=True, kw_only=False):
    """A point together with the run it belongs to."""

    run_id: str = ""


class Param(model.Param, frozen=True, kw_only=False):
    """``Param(key, value)``."""

    key: str
    value: str


class RunTag(model.Tag, frozen=True, kw_only=False):
    """``RunTag(key, value)``."""

    key: str
    value: str


class ExperimentTag(RunTag, frozen=True):
    """``ExperimentTag(key, value)``."""


class InputTag(RunTag, frozen=True):
    """``InputTag(key, value)``: a tag of a data set as a run used it."""


class Dataset(model.Dataset, frozen=True, kw_only=False):
    """``Dataset(name, digest, source_type, source, schema, profile)``; the last two are JSON text."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInput(model.DatasetInput, frozen=True, kw_only=False):
    """``DatasetInput(dataset, tags)``."""

    dataset: model.Dataset
    tags: tuple[model.Tag, ...] = ()


class LoggedModelOutput(model.RunModel, frozen=True, kw_only=False):
    """``LoggedModelOutput(model_id, step)``: a logged model that a run made."""

    model_id: str
    step: int = 0


class RunStatus:
    """The states of a run, with MLflow's helpers. The members are those of :class:`logbuch.model.RunStatus`."""

    RUNNING: ClassVar = model.RunStatus.RUNNING
    SCHEDULED: ClassVar = model.RunStatus.SCHEDULED
    FINISHED: ClassVar = model.RunStatus.FINISHED
    FAILED: ClassVar = model.RunStatus.FAILED
    KILLED: ClassVar = model.RunStatus.KILLED

    @staticmethod
    def from_string(status: str) -> model.RunStatus:
        """The status of this name; ``ValueError`` for any other."""
        return model.RunStatus(status)

    @staticmethod
    def to_string(status: model.RunStatus | int) -> str:
        """The name of a status, given as a member or as its number in the protocol."""
        return str(status if isinstance(status, model.RunStatus) else model.RunStatus.from_wire(status))

    @staticmethod
    def is_terminated(status: model.RunStatus | str) -> bool:
        return model.RunStatus(status).terminal

    @staticmethod
    def all_status() -> list[model.RunStatus]:
        return list(model.RunStatus)


class SourceType:
    """Values of the tag ``mlflow.source.type``."""

    NOTEBOOK = "NOTEBOOK"
    JOB = "JOB"
    PROJECT = "PROJECT"
    LOCAL = "LOCAL"
    UNKNOWN = "UNKNOWN"


class PagedList(list[T], Generic[T]):
    """A page of results. ``token`` asks for the next page; None if this is the last."""

    def __init__(self, items: list[T], token: str | None = None) -> None:
        super().__init__(items)
        self.token = token
