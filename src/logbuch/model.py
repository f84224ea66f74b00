"""The nouns of a tracker, as frozen structs: what the store returns, the wire carries and the SDK hands out.

Names and shapes are those MLflow's users know (``run.info.run_id``, ``run.data.metrics["loss"]``). All times are
Unix milliseconds; steps are signed 64-bit integers; metric values are IEEE 754 doubles, NaN and ±Inf included.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

import msgspec


class RunStatus(StrEnum):
    """Where a run stands. ``wire`` is the number that MLflow's protocol gives it."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    @property
    def wire(self) -> int:
        return _STATUS_NUMBERS[self]

    @classmethod
    def from_wire(cls, number: int) -> RunStatus:
        """The status of a protocol number; ``ValueError`` for any other."""
        status = _STATUSES.get(number)
        if status is None:
            raise ValueError(f"{number} is no run status")
        return status

    @property
    def terminal(self) -> bool:
        return self in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)


_STATUSES = dict(enumerate(RunStatus, start=1))
_STATUS_NUMBERS = {status: number for number, status in _STATUSES.items()}


LOST = "LOST"
"""What Logbuch calls a running run whose process gives no sign of life. MLflow's protocol has no such status: there it
is RUNNING still."""


class ViewType(IntEnum):
    """Which lifecycle stages a search looks at."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3


class LifecycleStage(StrEnum):
    ACTIVE = "active"
    DELETED = "deleted"


class Noun(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all nouns: immutable, compared by value, built by keywords.

    Those that hold texts and numbers alone are no business of the garbage collector (``gc=False``): a page of runs has
    thousands of them.
    """


class Metric(Noun, frozen=True, kw_only=True, gc=False):
    """One point of a series: ``value`` at ``step``, taken at ``timestamp`` (ms)."""

    key: str
    value: float
    timestamp: int
    step: int = 0


class Param(Noun, frozen=True, kw_only=True, gc=False):
    key: str
    value: str


class Tag(Noun, frozen=True, kw_only=True, gc=False):
    key: str
    value: str


class Dataset(Noun, frozen=True, kw_only=True):
    """A data set as a run saw it; ``schema`` and ``profile`` are JSON text."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Noun, frozen=True, kw_only=True):
    dataset: Dataset
    tags: tuple[Tag, ...] = ()


class RunModel(Noun, frozen=True, kw_only=True, gc=False):
    """A logged model that a run used, or made at a step."""

    model_id: str
    step: int = 0


class RunInputs(Noun, frozen=True, kw_only=True):
    dataset_inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[RunModel, ...] = ()


class RunOutputs(Noun, frozen=True, kw_only=True):
    model_outputs: tuple[RunModel, ...] = ()


class RunData(Noun, frozen=True, kw_only=True):
    """What a run logged. ``metric_points`` holds the latest point of every metric."""

    metric_points: tuple[Metric, ...] = ()
    param_list: tuple[Param, ...] = ()
    tag_list: tuple[Tag, ...] = ()

    @property
    def metrics(self) -> Mapping[str, float]:
        return {point.key: point.value for point in self.metric_points}

    @property
    def params(self) -> Mapping[str, str]:
        return {param.key: param.value for param in self.param_list}

    @property
    def tags(self) -> Mapping[str, str]:
        return {tag.key: tag.value for tag in self.tag_list}


class RunInfo(Noun, frozen=True, kw_only=True):
    """The head of a run. ``end_time`` is None while it runs."""

    run_id: str
    experiment_id: str
    run_name: str
    user_id: str
    status: RunStatus
    start_time: int
    end_time: int | None
    lifecycle_stage: LifecycleStage
    artifact_uri: str
    lost_time: int | None = None
    """The last sign of life of its process, if that is gone without having ended the run."""

    @property
    def run_uuid(self) -> str:
        return self.run_id

    @property
    def lost(self) -> bool:
        """Whether it runs by its status, while nothing is heard of its process."""
        return self.status is RunStatus.RUNNING and self.lost_time is not None


class Run(Noun, frozen=True, kw_only=True):
    info: RunInfo
    data: RunData = RunData()
    inputs: RunInputs = RunInputs()
    outputs: RunOutputs = RunOutputs()


class Experiment(Noun, frozen=True, kw_only=True):
    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    creation_time: int
    last_update_time: int
    tag_list: tuple[Tag, ...] = ()

    @property
    def tags(self) -> Mapping[str, str]:
        return {tag.key: tag.value for tag in self.tag_list}


class DatasetSummary(Noun, frozen=True, kw_only=True):
    """A data set used in an experiment, once for each context in which it was used."""

    experiment_id: str
    name: str
    digest: str
    context: str | None


class FileInfo(Noun, frozen=True, kw_only=True):
    """An artifact or a folder of them; ``path`` is relative to the run's artifact root, ``file_size`` in bytes."""

    path: str
    is_dir: bool
    file_size: int | None = None
