"""The export format: a folder that any program can read, and Logbuch can import again.

    logbuch-export.json      what it is: format, version, time, how much it holds
    experiments.jsonl        one experiment a line
    runs.jsonl               one run a line; says where its points are
    metrics/000001.parquet   points: run_id, key, step, timestamp (ms), value
    artifacts/<run>/…        the files of runs
    logged_models.jsonl      one logged model a line
    models.jsonl             one registered model with its versions a line
    models/<model id>/…      the files of logged models
    histograms/<run>.jsonl   one histogram a line
    output/<run>.jsonl       one line of console output a line

docs/reference/export.md describes it field by field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from logbuch.model import (
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunModel,
    RunOutputs,
    RunStatus,
    Tag,
)
from logbuch.store.histograms import Histogram
from logbuch.store.tx import LogLines

FORMAT = 1
HEAD, EXPERIMENTS, RUNS = "logbuch-export.json", "experiments.jsonl", "runs.jsonl"
METRICS, ARTIFACTS = "metrics", "artifacts"
LOGGED, REGISTERED, MODEL_FILES = "logged_models.jsonl", "models.jsonl", "models"
HISTOGRAMS, OUTPUT = "histograms", "output"
Texts = dict[str, str]


class Head(msgspec.Struct, kw_only=True):
    """The file that says what a folder is."""

    format: int
    version: str
    time: int
    holds: dict[str, int] = {}


class ExperimentLine(msgspec.Struct, kw_only=True):
    experiment_id: str
    name: str
    stage: LifecycleStage
    creation_time: int
    last_update_time: int
    tags: Texts = {}

    @classmethod
    def of(cls, noun: Experiment) -> ExperimentLine:
        return cls(
            experiment_id=noun.experiment_id,
            name=noun.name,
            stage=noun.lifecycle_stage,
            creation_time=noun.creation_time,
            last_update_time=noun.last_update_time,
            tags=dict(noun.tags),
        )

    def noun(self) -> Experiment:
        return Experiment(
            experiment_id=self.experiment_id,
            name=self.name,
            artifact_location="",
            lifecycle_stage=self.stage,
            creation_time=self.creation_time,
            last_update_time=self.last_update_time,
            tag_list=tuple(Tag(key=key, value=value) for key, value in self.tags.items()),
        )


class DatasetLine(msgspec.Struct, kw_only=True):
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None
    tags: Texts = {}

    @classmethod
    def of(cls, used: DatasetInput) -> DatasetLine:
        return cls(**msgspec.structs.asdict(used.dataset), tags={tag.key: tag.value for tag in used.tags})

    def noun(self) -> DatasetInput:
        fields = {name: getattr(self, name) for name in Dataset.__struct_fields__}
        return DatasetInput(
            dataset=Dataset(**fields), tags=tuple(Tag(key=key, value=value) for key, value in self.tags.items())
        )


class Stretch(msgspec.Struct, array_like=True):
    """Rows of a file of points: its number, the first row, how many."""

    file: int
    first: int
    rows: int


class RunLine(msgspec.Struct, kw_only=True):
    run_id: str
    experiment_id: str
    name: str
    user: str
    status: RunStatus
    start_time: int
    end_time: int | None
    stage: LifecycleStage
    deleted_time: int | None = None
    params: Texts = {}
    tags: Texts = {}
    datasets: list[DatasetLine] = []
    models_used: list[RunModel] = []
    models_made: list[RunModel] = []
    points: list[Stretch] = []

    @classmethod
    def of(cls, run: Run, deleted_time: int | None) -> RunLine:
        info = run.info
        return cls(
            run_id=info.run_id,
            experiment_id=info.experiment_id,
            name=info.run_name,
            user=info.user_id,
            status=info.status,
            start_time=info.start_time,
            end_time=info.end_time,
            stage=info.lifecycle_stage,
            deleted_time=deleted_time,
            params=dict(run.data.params),
            tags=dict(run.data.tags),
            datasets=[DatasetLine.of(used) for used in run.inputs.dataset_inputs],
            models_used=list(run.inputs.model_inputs),
            models_made=list(run.outputs.model_outputs),
        )

    def noun(self) -> Run:
        info = RunInfo(
            run_id=self.run_id,
            experiment_id=self.experiment_id,
            run_name=self.name,
            user_id=self.user,
            status=self.status,
            start_time=self.start_time,
            end_time=self.end_time,
            lifecycle_stage=self.stage,
            artifact_uri="",
        )
        data = RunData(
            param_list=tuple(Param(key=key, value=value) for key, value in self.params.items()),
            tag_list=tuple(Tag(key=key, value=value) for key, value in self.tags.items()),
        )
        inputs = RunInputs(
            dataset_inputs=tuple(one.noun() for one in self.datasets), model_inputs=tuple(self.models_used)
        )
        outputs = RunOutputs(model_outputs=tuple(self.models_made))
        return Run(info=info, data=data, inputs=inputs, outputs=outputs)


class HistogramLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    key: str
    step: int
    timestamp: int
    edges: list[float]
    counts: list[float]
    nan: int = 0
    infinite: int = 0

    @classmethod
    def of(cls, noun: Histogram) -> HistogramLine:
        return cls(**noun._asdict())

    def noun(self) -> Histogram:
        return Histogram(**msgspec.structs.asdict(self))


class OutputLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line of console output; without ``text`` one that has no end yet, or a number of lines that were left out."""

    time: int = 0
    source: str = ""
    stream: str = ""
    text: str | None = None
    open: str | None = None
    dropped: int = 0

    @classmethod
    def of(cls, found: LogLines) -> Iterator[OutputLine]:
        for time, text in zip(found.times, found.texts, strict=True):
            yield cls(time=time, source=found.source, stream=found.stream, text=text)
        if found.dropped:
            yield cls(dropped=found.dropped, stream=found.stream)
        if found.open:
            yield cls(time=found.open_time, source=found.source, stream=found.stream, open=found.open)

    def noun(self) -> LogLines:
        """What it is without ``text``."""
        return LogLines(self.source, self.stream, (), (), self.open or "", self.time, self.dropped)


def media_name(folder: str, run_id: str) -> str:
    """The name of a run's file of histograms or of output."""
    return f"{folder}/{run_id}.jsonl"


def file_name(number: int) -> str:
    """The name of a file of points."""
    return f"{METRICS}/{number:06}.parquet"


def encode_line(line: Any) -> bytes:
    return msgspec.json.encode(line) + b"\n"
