"""An export folder as the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
import numpy as np

from logbuch.errors import InvalidInput, StoreRefused
from logbuch.files import keys
from logbuch.limits import LOG_LINES_PER_RECORD, clip
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import Experiment
from logbuch.registry import MovedRegistration
from logbuch.store.histograms import Histogram
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer import exported
from logbuch.transfer.batches import batches
from logbuch.transfer.exported import ExperimentLine, Head, OutputLine, RunLine, Stretch
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.sources.artifacts import ArtifactFolders
from logbuch.wire import moved

T = TypeVar("T")


class ExportSource:
    """See :class:`logbuch.transfer.source.Source`."""

    partial = False
    one_by_one = False

    def __init__(self, folder: Path, report: Report) -> None:
        self.report = report
        self.name = str(folder)
        self._folder = folder
        self._head = _head(folder)
        self._artifacts = ArtifactFolders(folder, None, report)
        self._loaded: tuple[int, dict[str, Any]] = (0, {})
        self._lines: dict[str, list[Stretch]] = {}

    def experiments(self) -> Iterable[Experiment]:
        for line in self._read(exported.EXPERIMENTS, ExperimentLine):
            yield line.noun()

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        self._lines.clear()
        for line in self._read(exported.RUNS, RunLine, experiment.experiment_id):
            self._lines[line.run_id] = line.points
            yield SourceRun(line.noun(), line.deleted_time, sum(one.rows for one in line.points))

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        run_id = run.run.info.run_id
        for one in self._lines[run_id]:
            try:
                columns = self._columns(one.file)
            except Exception as error:  # noqa: BLE001  the reader of Parquet raises its own kinds
                self.report.lost(f"points of run {run_id} in {exported.file_name(one.file)}", error)
                continue
            part = {name: column[one.first : one.first + one.rows] for name, column in columns.items()}
            if len(part["key"]) != one.rows or any(owner != run_id for owner in part["run_id"]):
                self.report.lost(f"points of run {run_id}", f"{exported.file_name(one.file)} does not hold them")
                continue
            names = {name: place for place, name in enumerate(dict.fromkeys(part["key"]))}
            index = np.fromiter(map(names.__getitem__, part["key"]), np.int64, one.rows)
            yield Incoming(list(names), index, part["step"], part["timestamp"], part["value"])

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        folder = self._folder / exported.ARTIFACTS / run.run.info.run_id
        return self._artifacts.below(folder, f"run {run.run.info.run_id}") if folder.is_dir() else iter(())

    # -- histograms and output -----------------------------------------------------------------------------------------

    def histograms(self, run: SourceRun) -> Iterator[Histogram]:
        for line in self._media(exported.HISTOGRAMS, run, exported.HistogramLine):
            yield line.noun()

    def lines(self, run: SourceRun) -> Iterator[LogLines]:
        found = self._media(exported.OUTPUT, run, exported.OutputLine)
        for (source, stream, whole), same in groupby(found, key=_origin):
            if whole:
                for part in batches(same, LOG_LINES_PER_RECORD):
                    texts = [line.text or "" for line in part]
                    yield LogLines(source, stream, [line.time for line in part], texts)
            else:
                yield from (line.noun() for line in same)

    def _media(self, folder: str, run: SourceRun, kind: type[T]) -> Iterator[T]:
        name = exported.media_name(folder, run.run.info.run_id)
        return self._read(name, kind) if (self._folder / name).is_file() else iter(())

    # -- models --------------------------------------------------------------------------------------------------------

    def logged_models(self, experiment: Experiment) -> Iterable[MovedModel]:
        for found in self._models(exported.LOGGED, moved.logged_in):
            if found.model.experiment_id == experiment.experiment_id:
                yield found

    def model_files(self, model: LoggedModel) -> Iterator[SourceFile]:
        folder = self._folder / keys.join(exported.MODEL_FILES, model.model_id)
        return self._artifacts.below(folder, f"logged model {model.model_id}") if folder.is_dir() else iter(())

    def registered_models(self) -> Iterable[MovedRegistration]:
        return self._models(exported.REGISTERED, moved.registered_in)

    def _models(self, name: str, make: Callable[[dict[str, Any]], T]) -> Iterator[T]:
        """The models in a file, which exports of the first versions do not have."""
        if not (self._folder / name).is_file():
            return
        for number, body in enumerate(self._read(name, dict), start=1):
            try:
                yield make(body)
            except InvalidInput as error:
                self.report.lost(f"entry {number} of {name}", error.message)

    def open(self, file: SourceFile) -> BinaryIO:
        return self._artifacts.open(file)

    def totals(self) -> Mapping[str, int]:
        return self._head.holds

    def close(self) -> None:
        self._loaded = (0, {})

    def _columns(self, number: int) -> dict[str, Any]:
        """The columns of a file of points; the last one is kept, for runs follow each other in it."""
        from arro3.io import read_parquet

        if self._loaded[0] != number:
            table = read_parquet(str(self._folder / exported.file_name(number))).read_all()
            columns = {name: table.column(name) for name in ("run_id", "key", "step", "timestamp", "value")}
            texts = {name: columns[name].to_pylist() for name in ("run_id", "key")}
            numbers = {name: columns[name].to_numpy() for name in ("step", "timestamp", "value")}
            self._loaded = (number, texts | numbers)
        return self._loaded[1]

    def _read(self, name: str, kind: type[T], experiment_id: str | None = None) -> Iterator[T]:
        """The lines of a file that can be read; those of one experiment, if it is named."""
        decode = msgspec.json.Decoder(kind).decode
        mark = None if experiment_id is None else msgspec.json.encode(experiment_id)
        with (self._folder / name).open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if mark is not None and mark not in line:
                    continue
                try:
                    found = decode(line)
                except msgspec.MsgspecError as error:
                    self.report.lost(f"line {number} of {name}", clip(str(error)))
                    continue
                if experiment_id is None or getattr(found, "experiment_id", None) == experiment_id:
                    yield found


def _origin(line: OutputLine) -> tuple[str, str, bool]:
    """Where a line comes from, and whether it is a whole one."""
    return line.source, line.stream, line.text is not None


def _head(folder: Path) -> Head:
    try:
        head = msgspec.json.decode((folder / exported.HEAD).read_bytes(), type=Head)
    except (OSError, msgspec.MsgspecError):
        raise InvalidInput(f"{folder} is no export of Logbuch's: {exported.HEAD} is missing or torn.") from None
    if head.format != exported.FORMAT:
        raise StoreRefused(f"{folder} was exported by a newer Logbuch ({head.version}).")
    return head
