"""Logged and registered models in an ``mlruns`` folder.

models/<name>/                        a registered model: meta.yaml, tags/
models/<name>/version-<n>/            its versions: meta.yaml, tags/
<experiment>/models/<model id>/       a logged model: meta.yaml, tags/, params/, metrics/
<experiment>/<run>/outputs/<id>/      a logged model that a run made; inputs/ of one that it used
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from logbuch.logged import LoggedModel, LoggedModelStatus, ModelMetric, MovedModel
from logbuch.model import Param, RunModel, Tag
from logbuch.registry import ModelVersion, MovedRegistration, RegisteredModel, RegisteredModelAlias, Stage
from logbuch.transfer.sources.mlflow_models import DELETED
from logbuch.transfer.sources.mlruns_reader import META, FolderReader

MODELS = "models"
Meta = Mapping[str, Any]


def logged(reader: FolderReader, experiment: Path, experiment_id: str) -> list[MovedModel]:
    """The logged models of an experiment's folder, the deleted ones too."""
    folders = reader.children(experiment / MODELS)
    found = (reader.described(folder / META, partial(_logged, reader, folder, experiment_id)) for folder in folders)
    return sorted((one for one in found if one), key=lambda one: (one.model.creation_timestamp, one.model.model_id))


def _logged(reader: FolderReader, folder: Path, experiment_id: str, meta: Meta) -> MovedModel:
    id_ = str(meta["model_id"])
    model = LoggedModel(
        model_id=id_,
        experiment_id=experiment_id,
        name=str(meta["name"]),
        artifact_location=str(meta.get("artifact_location") or ""),
        creation_timestamp=int(meta.get("creation_timestamp") or 0),
        last_updated_timestamp=int(meta.get("last_updated_timestamp") or 0),
        status=_status(meta.get("status")),
        model_type=str(meta.get("model_type") or ""),
        source_run_id=str(meta.get("source_run_id") or ""),
        status_message=str(meta.get("status_message") or ""),
        tag_list=tuple(Tag(key=key, value=value) for key, value in reader.texts(folder / "tags")),
        param_list=tuple(Param(key=key, value=value) for key, value in reader.texts(folder / "params")),
        metric_points=tuple(_points(reader, folder, id_)),
    )
    return MovedModel(model=model, deleted=meta.get("lifecycle_stage") == "deleted")


def _points(reader: FolderReader, folder: Path, model_id: str) -> Iterator[ModelMetric]:
    for key, content in reader.texts(folder / "metrics"):
        for number, line in enumerate(content.splitlines(), start=1):
            try:
                yield _point(key, line.split(" "), model_id)
            except (ValueError, IndexError):
                reader.report.lost(f"line {number} of {folder / 'metrics' / key}", "that is no point of a model")


def _point(key: str, parts: list[str], model_id: str) -> ModelMetric:
    """From time, value, step and run, and the name and digest of a data set where there is one."""
    name, digest = (parts[4], parts[5]) if len(parts) == 6 else ("", "")
    return ModelMetric(
        key=key,
        value=float(parts[1]),
        timestamp=int(parts[0]),
        step=int(parts[2]),
        model_id=model_id,
        run_id=parts[3],
        dataset_name=name,
        dataset_digest=digest,
    )


def _status(value: Any) -> LoggedModelStatus:
    return LoggedModelStatus.from_wire(value) if isinstance(value, int) else LoggedModelStatus.named(str(value))


def of_run(reader: FolderReader, run: Path, *, made: bool) -> tuple[RunModel, ...]:
    """The logged models that a run made, or used."""
    folders = reader.children(run / ("outputs" if made else "inputs"))
    found = (reader.described(folder / META, partial(_used, made)) for folder in folders)
    return tuple(one for one in found if one)


def _used(made: bool, meta: Meta) -> RunModel | None:
    if made:
        return RunModel(model_id=str(meta["destination_id"]), step=int(meta.get("step") or 0))
    return RunModel(model_id=str(meta["source_id"])) if meta.get("source_type") == "MODEL" else None


# -- registered models -------------------------------------------------------------------------------------------------


def registered(reader: FolderReader, root: Path) -> Iterable[MovedRegistration]:
    """All registered models with their versions, the oldest first."""
    folders = reader.children(root / MODELS)
    found = (reader.described(folder / META, partial(_registered, reader, folder)) for folder in folders)
    return sorted((one for one in found if one), key=lambda one: (one.model.creation_timestamp, one.model.name))


def _registered(reader: FolderReader, folder: Path, meta: Meta) -> MovedRegistration:
    name, aliases = str(meta["name"]), meta.get("aliases") or {}
    model = RegisteredModel(
        name=name,
        creation_timestamp=int(meta.get("creation_timestamp") or 0),
        last_updated_timestamp=int(meta.get("last_updated_timestamp") or 0),
        description=str(meta.get("description") or ""),
        tag_list=tuple(Tag(key=key, value=value) for key, value in reader.texts(folder / "tags")),
        alias_list=tuple(RegisteredModelAlias(alias=str(key), version=str(aliases[key])) for key in sorted(aliases)),
    )
    folders = [one for one in reader.children(folder) if one.name.startswith("version-")]
    all_ = [reader.described(one / META, partial(_version, reader, one, name)) for one in folders]
    numbers = [one.name.removeprefix("version-") for one in folders]
    last = max((int(number) for number in numbers if number.isdecimal()), default=0)
    versions = sorted((one for one in all_ if one), key=lambda one: int(one.version))
    return MovedRegistration(model=model, versions=tuple(versions), last_version=last)


def _version(reader: FolderReader, folder: Path, name: str, meta: Meta) -> ModelVersion | None:
    stage = str(meta.get("current_stage") or "None")
    if stage == DELETED:
        return None
    return ModelVersion(
        name=name,
        version=str(int(meta["version"])),
        creation_timestamp=int(meta.get("creation_timestamp") or 0),
        last_updated_timestamp=int(meta.get("last_updated_timestamp") or 0),
        current_stage=Stage.named(stage) or Stage.NONE,
        source=str(meta.get("source") or ""),
        location=str(meta.get("storage_location") or ""),
        description=str(meta.get("description") or ""),
        user_id=str(meta.get("user_id") or ""),
        run_id=str(meta.get("run_id") or ""),
        run_link=str(meta.get("run_link") or ""),
        model_id=str(meta.get("model_id") or ""),
        tag_list=tuple(Tag(key=key, value=value) for key, value in reader.texts(folder / "tags")),
    )
