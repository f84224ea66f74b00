"""MLflow's REST messages as a client sees them: requests as plain dicts, answers as nouns.

Answers are read leniently: absent fields have their defaults, 64-bit integers may be strings (as in generic protobuf
JSON), and doubles may be the strings NaN, Infinity and -Infinity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from logbuch.model import (
    Dataset,
    DatasetInput,
    Experiment,
    FileInfo,
    LifecycleStage,
    Metric,
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
from logbuch.sdk.backends.backend import Batch, Standing

Json = Mapping[str, Any]
encode = msgspec.json.encode
decode = msgspec.json.decode


def number(value: float) -> float | str:
    """A double as protobuf JSON writes it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def tags_out(tags: Sequence[Tag]) -> list[dict[str, str]]:
    return [{"key": tag.key, "value": tag.value} for tag in tags]


def batch_out(batch: Batch) -> dict[str, Any]:
    return {
        "run_id": batch.run_id,
        "metrics": [
            {"key": point.key, "value": number(point.value), "timestamp": point.timestamp, "step": point.step}
            for point in batch.metrics
        ],
        "params": [{"key": param.key, "value": param.value} for param in batch.params],
        "tags": tags_out(batch.tags),
    }


def datasets_out(datasets: Sequence[DatasetInput]) -> list[dict[str, Any]]:
    return [{"tags": tags_out(used.tags), "dataset": _dataset_out(used.dataset)} for used in datasets]


def experiment(body: Json) -> Experiment:
    return Experiment(
        experiment_id=str(body["experiment_id"]),
        name=body.get("name", ""),
        artifact_location=body.get("artifact_location", ""),
        lifecycle_stage=LifecycleStage(body.get("lifecycle_stage", "active")),
        creation_time=int(body.get("creation_time", 0)),
        last_update_time=int(body.get("last_update_time", 0)),
        tag_list=_tags(body.get("tags", ())),
    )


def run(body: Json) -> Run:
    data, inputs, outputs = body.get("data", {}), body.get("inputs", {}), body.get("outputs", {})
    return Run(
        info=run_info(body["info"]),
        data=RunData(
            metric_points=tuple(metric(point) for point in data.get("metrics", ())),
            param_list=tuple(Param(key=p["key"], value=p.get("value", "")) for p in data.get("params", ())),
            tag_list=_tags(data.get("tags", ())),
        ),
        inputs=RunInputs(
            dataset_inputs=tuple(_dataset_input(used) for used in inputs.get("dataset_inputs", ())),
            model_inputs=tuple(RunModel(model_id=m["model_id"]) for m in inputs.get("model_inputs", ())),
        ),
        outputs=RunOutputs(
            model_outputs=tuple(
                RunModel(model_id=m["model_id"], step=int(m.get("step", 0))) for m in outputs.get("model_outputs", ())
            )
        ),
    )


def run_info(body: Json) -> RunInfo:
    end = body.get("end_time")
    return RunInfo(
        run_id=body.get("run_id") or body["run_uuid"],
        experiment_id=str(body.get("experiment_id", "")),
        run_name=body.get("run_name", ""),
        user_id=body.get("user_id", ""),
        status=_status(body.get("status", "RUNNING")),
        start_time=int(body.get("start_time", 0)),
        end_time=int(end) if end is not None else None,
        lifecycle_stage=LifecycleStage(body.get("lifecycle_stage", "active")),
        artifact_uri=body.get("artifact_uri", ""),
        lost_time=int(body["lost_time"]) if body.get("lost_time") is not None else None,
    )


def metric(body: Json) -> Metric:
    return Metric(
        key=body["key"],
        value=float(body.get("value", 0.0)),
        timestamp=int(body.get("timestamp", 0)),
        step=int(body.get("step", 0)),
    )


def file_info(body: Json) -> FileInfo:
    folder = bool(body.get("is_dir", False))
    size = body.get("file_size")
    return FileInfo(path=body["path"], is_dir=folder, file_size=None if folder or size is None else int(size))


def _status(value: str | int) -> RunStatus:
    return RunStatus.from_wire(value) if isinstance(value, int) else RunStatus(value)


def _tags(items: Sequence[Json]) -> tuple[Tag, ...]:
    return tuple(Tag(key=tag["key"], value=tag.get("value", "")) for tag in items)


def _dataset_input(body: Json) -> DatasetInput:
    described = body["dataset"]
    return DatasetInput(
        dataset=Dataset(
            name=described.get("name", ""),
            digest=described.get("digest", ""),
            source_type=described.get("source_type", ""),
            source=described.get("source", ""),
            schema=described.get("schema"),
            profile=described.get("profile"),
        ),
        tags=_tags(body.get("tags", ())),
    )


def _dataset_out(dataset: Dataset) -> dict[str, str]:
    return {
        name: value
        for name in ("name", "digest", "source_type", "source", "schema", "profile")
        if (value := getattr(dataset, name)) is not None
    }


def standing(body: Json) -> Standing:
    """Where a server stands with a journal."""
    return msgspec.convert(body, Standing)
