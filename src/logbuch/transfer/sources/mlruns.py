"""An ``mlruns`` folder, MLflow's store in files, as a source.

A folder an experiment (deleted ones in ``.trash``), in it a folder a run: ``meta.yaml``, a file each param, tag and
metric (a line a point: time, value, step), and ``artifacts``. A file that is torn is named and read as far as it goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from logbuch.errors import InvalidInput
from logbuch.limits import INT64_MAX, INT64_MIN, is_run_id
from logbuch.logged import LoggedModel, MovedModel
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
    RunOutputs,
    RunStatus,
    Tag,
)
from logbuch.registry import MovedRegistration
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.metrics.points import Series
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.sources import mlruns_models
from logbuch.transfer.sources.artifacts import ArtifactFolders
from logbuch.transfer.sources.mlruns_reader import META, FolderReader, described, holds

TRASH = ".trash"
DUPLICATES = "points that stand twice in their file, and once here"
NAMELESS = "experiments whose meta.yaml cannot be read, called by their folder"
HEADLESS = "runs whose meta.yaml cannot be read: params, tags, points and artifacts are there, and they count as KILLED"
_OTHERS = frozenset({"tags", "datasets", "models", "traces"})
"""Folders of an experiment that are no runs."""


class MlrunsFolder:
    """See :class:`logbuch.transfer.source.Source`. ``folder`` is an ``mlruns`` folder, or the one that holds it."""

    partial = False

    def __init__(self, folder: Path, report: Report, *, artifacts: Path | None = None) -> None:
        self.report = report
        root = _root(folder)
        self.name = str(root)
        self._root = root
        self._reader = FolderReader(report)
        self._folders = ArtifactFolders(root.parent, artifacts, report)
        self._places: dict[str, Path] = {}
        """The folders of experiments, by ID."""
        self._runs: dict[str, Path] = {}
        """Those of the runs of the experiment that was asked for last."""

    # -- experiments and runs ------------------------------------------------------------------------------------------

    def experiments(self) -> Iterable[Experiment]:
        for folder in [*self._reader.children(self._root), *self._reader.children(self._root / TRASH)]:
            if folder.name in (TRASH, "models") or not self._reader.has_content(folder):
                continue
            found = self._reader.described(folder / META, partial(self._experiment, folder)) or self._nameless(folder)
            if found is not None:
                self._places[found.experiment_id] = folder
                yield found

    def _experiment(self, folder: Path, meta: Mapping[str, Any]) -> Experiment:
        return Experiment(
            experiment_id=str(meta.get("experiment_id", folder.name)),
            name=str(meta["name"]),
            artifact_location=str(meta.get("artifact_location") or ""),
            lifecycle_stage=_stage(meta),
            creation_time=int(meta.get("creation_time") or 0),
            last_update_time=int(meta.get("last_update_time") or 0),
            tag_list=tuple(Tag(key=key, value=value) for key, value in self._reader.texts(folder / "tags")),
        )

    def _nameless(self, folder: Path) -> Experiment | None:
        """An experiment of which nothing but its runs can be read; None where it has none."""
        if not any(holds((run / META).is_file) for run in _folders(folder)):
            return None
        self.report.note(NAMELESS)
        deleted = folder.parent.name == TRASH
        return self._experiment(folder, {"name": folder.name, "lifecycle_stage": "deleted" if deleted else "active"})

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        place = self._places[experiment.experiment_id]
        self._runs.clear()
        for folder in self._reader.children(place):
            if folder.name not in _OTHERS and self._reader.has_content(folder):
                make = partial(self._run, experiment, folder)
                found = self._reader.described(folder / META, make) or self._headless(experiment, folder)
                if found is not None:
                    self._runs[found.run.info.run_id] = folder
                    yield found

    def _run(self, experiment: Experiment, folder: Path, meta: Mapping[str, Any]) -> SourceRun:
        end, deleted = meta.get("end_time"), meta.get("deleted_time")
        info = RunInfo(
            run_id=str(meta.get("run_id") or meta["run_uuid"]),
            experiment_id=experiment.experiment_id,
            run_name=str(meta.get("run_name") or meta.get("name") or ""),
            user_id=str(meta.get("user_id") or ""),
            status=_status(meta.get("status")),
            start_time=int(meta.get("start_time") or 0),
            end_time=None if end is None else int(end),
            lifecycle_stage=_stage(meta),
            artifact_uri=str(meta.get("artifact_uri") or ""),
        )
        data = RunData(
            param_list=tuple(Param(key=key, value=value) for key, value in self._reader.texts(folder / "params")),
            tag_list=tuple(Tag(key=key, value=value) for key, value in self._reader.texts(folder / "tags")),
        )
        inputs = RunInputs(
            dataset_inputs=tuple(self._inputs(folder)),
            model_inputs=mlruns_models.of_run(self._reader, folder, made=False),
        )
        outputs = RunOutputs(model_outputs=mlruns_models.of_run(self._reader, folder, made=True))
        return SourceRun(
            Run(info=info, data=data, inputs=inputs, outputs=outputs), None if deleted is None else int(deleted)
        )

    def _headless(self, experiment: Experiment, folder: Path) -> SourceRun | None:
        """A run of which everything but its head can be read; None for a folder that is no run."""
        parts = [folder / name for name in ("metrics", "params", "tags") if holds((folder / name).is_dir)]
        if not is_run_id(folder.name) or not parts:
            return None
        self.report.note(HEADLESS)
        changed = [int(part.stat().st_mtime * 1000) for part in (folder, *parts)]
        times = {"start_time": min(changed), "end_time": max(changed)}
        return self._run(experiment, folder, {"run_id": folder.name, "status": "KILLED", **times})

    def _inputs(self, run: Path) -> Iterator[DatasetInput]:
        for folder in self._reader.children(run / "inputs"):
            found = self._reader.described(folder / META, lambda meta: self._input(run.parent, meta))
            if found is not None:
                yield found

    def _input(self, experiment: Path, meta: Mapping[str, Any]) -> DatasetInput | None:
        if meta.get("source_type") != "DATASET":
            return None
        kept = described(experiment / "datasets" / str(meta["source_id"]) / META)
        dataset = Dataset(
            name=str(kept["name"]),
            digest=str(kept["digest"]),
            source_type=str(kept["source_type"]),
            source=str(kept["source"]),
            schema=kept.get("schema"),
            profile=kept.get("profile"),
        )
        tags = meta.get("tags") or {}
        return DatasetInput(dataset=dataset, tags=tuple(Tag(key=key, value=str(tags[key])) for key in sorted(tags)))

    # -- points --------------------------------------------------------------------------------------------------------

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        folder = self._runs[run.run.info.run_id] / "metrics"
        for file in self._reader.files(folder):
            try:
                content = file.read_bytes()
            except OSError as error:
                self.report.lost(str(file), error.strerror or error)
                continue
            series = self._series(file, content)
            if len(series):
                key = file.relative_to(folder).as_posix()
                index = np.zeros(len(series), np.int64)
                yield Incoming([key], index, series.steps, series.timestamps, series.values)

    def _series(self, file: Path, content: bytes) -> Series:
        """The points of a metric's file. MLflow ends every line: a last one without an end was cut short."""
        lines = content.split(b"\n")
        torn = lines.pop()
        if torn:
            self.report.lost(f"the last point in {file}", "the file is torn there")
        rows = []
        for number, line in enumerate(lines, start=1):
            try:
                rows.append(_point(line))
            except ValueError:
                self.report.lost(f"line {number} of {file}", "that is no point")
        if not rows:
            return Series.empty()
        times, values, steps = zip(*rows, strict=True)
        found = Series(np.array(steps, np.int64), np.array(times, np.int64), np.array(values, np.float64))
        ordered = found.ordered()
        self.report.note(DUPLICATES, len(found) - len(ordered))
        return ordered

    # -- files ---------------------------------------------------------------------------------------------------------

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        """Those at the place that the run names; where an installation was moved as a whole, those beside it."""
        named = self._folders.folder(run.run.info.artifact_uri)
        beside = self._runs[run.run.info.run_id] / "artifacts"
        if beside.is_dir() and (named is None or not named.is_dir()):
            return self._folders.below(beside, f"run {run.run.info.run_id}")
        return self._folders.files(run.run)

    def logged_models(self, experiment: Experiment) -> Iterable[MovedModel]:
        return mlruns_models.logged(self._reader, self._places[experiment.experiment_id], experiment.experiment_id)

    def model_files(self, model: LoggedModel) -> Iterator[SourceFile]:
        """Those at the place that the model names; where an installation was moved as a whole, those beside it."""
        named = self._folders.folder(model.artifact_location)
        beside = self._places[model.experiment_id] / mlruns_models.MODELS / model.model_id / "artifacts"
        if beside.is_dir() and (named is None or not named.is_dir()):
            return self._folders.below(beside, f"logged model {model.model_id}")
        return self._folders.of_model(model)

    def registered_models(self) -> Iterable[MovedRegistration]:
        return mlruns_models.registered(self._reader, self._root)

    def open(self, file: SourceFile) -> BinaryIO:
        return self._folders.open(file)

    def totals(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        """Nothing is held open."""


def is_mlruns(folder: Path) -> bool:
    """Whether a folder holds experiments of MLflow's."""
    places = (folder, folder / TRASH)
    return any(holds((child / META).is_file) for place in places for child in _folders(place))


def _folders(place: Path) -> list[Path]:
    try:
        return [child for child in place.iterdir() if child.is_dir()]
    except OSError:
        return []


def _root(folder: Path) -> Path:
    """The ``mlruns`` folder that is meant by a folder: itself, or the one in it."""
    whole = next(place for place in (folder.absolute(), *folder.absolute().parents) if not (place / META).is_file())
    if whole != folder.absolute():
        raise InvalidInput(f"{folder} is a part of an mlruns folder: name the whole, {whole}.")
    found = next((place for place in (whole, whole / "mlruns") if is_mlruns(place)), None)
    if found is None:
        raise InvalidInput(f"{folder} is no mlruns folder: it holds no experiment.")
    return found


def _status(value: Any) -> RunStatus:
    if value is None:
        return RunStatus.RUNNING
    return RunStatus.from_wire(value) if isinstance(value, int) else RunStatus(str(value))


def _stage(meta: Mapping[str, Any]) -> LifecycleStage:
    return LifecycleStage.DELETED if meta.get("lifecycle_stage") == "deleted" else LifecycleStage.ACTIVE


def _point(line: bytes) -> tuple[int, float, int]:
    """Time, value and step of a line; the oldest MLflow wrote no steps, MLflow 3 adds the name and digest of a data
    set."""
    parts = line.split(b" ")
    if len(parts) not in (2, 3, 5):
        raise ValueError(line)
    time, value, step = int(parts[0]), float(parts[1]), int(parts[2]) if len(parts) > 2 else 0
    if not (INT64_MIN <= time <= INT64_MAX and INT64_MIN <= step <= INT64_MAX):
        raise ValueError(line)
    return time, math.nan if value != value else value, step
