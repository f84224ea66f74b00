"""An export folder as the target: written beside its place, and put there when it is whole."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from logbuch.errors import InvalidInput
from logbuch.files import keys
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import Experiment, Run
from logbuch.registry import MovedRegistration, Refusal
from logbuch.store.census import Census
from logbuch.store.histograms import Histogram
from logbuch.store.logs import LogHead
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer import exported
from logbuch.transfer.exported import ExperimentLine, Head, RunLine, Stretch
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.target import Known
from logbuch.version import __version__
from logbuch.wire import moved

FILE_POINTS = 1_000_000


class ExportFolder:
    """See :class:`logbuch.transfer.target.Target`. The folder is not there until :meth:`publish`."""

    keeps_ids = True

    def __init__(self, folder: Path, report: Report) -> None:
        self.report = report
        self.name = str(folder)
        self._folder = folder.absolute()
        if self._folder.exists():
            raise InvalidInput(f"{folder} is there already: name a folder that is not.")
        self._partial = self._folder.with_name(f".{self._folder.name}.partial")
        try:
            if self._partial.exists():
                shutil.rmtree(self._partial)
            (self._partial / exported.METRICS).mkdir(parents=True)
        except OSError as error:
            raise InvalidInput(f"{folder} cannot be made: {error.strerror}.") from None
        self._experiments = (self._partial / exported.EXPERIMENTS).open("wb")
        self._runs = (self._partial / exported.RUNS).open("wb")
        self._logged = (self._partial / exported.LOGGED).open("wb")
        self._registered = (self._partial / exported.REGISTERED).open("wb")
        self._line: RunLine | None = None
        self._points: list[tuple[str, Incoming]] = []
        self._number, self._rows = 1, 0
        self._counts: dict[str, Census] = {}

    def experiment(self, wanted: Experiment) -> str:
        self._experiments.write(exported.encode_line(ExperimentLine.of(wanted)))
        return wanted.experiment_id

    def close_experiment(self, experiment_id: str, wanted: Experiment) -> None:
        """It was written whole."""

    def known(self, run_ids: Sequence[str]) -> Mapping[str, Known]:  # noqa: ARG002
        return {}

    def begin(self, wanted: SourceRun, missing: Run) -> None:
        self._line = RunLine.of(missing, wanted.deleted_time)

    def points(self, wanted: SourceRun, points: Incoming) -> None:
        assert self._line is not None
        start = 0
        while start < len(points):
            end = min(len(points), start + FILE_POINTS - self._rows)
            columns = (
                np.asarray(one)[start:end] for one in (points.index, points.steps, points.timestamps, points.values)
            )
            self._points.append((wanted.run.info.run_id, Incoming(points.names, *columns)))
            self._extend(end - start)
            start = end
            if self._rows >= FILE_POINTS:
                self._write_points()

    def _extend(self, rows: int) -> None:
        assert self._line is not None
        stretches = self._line.points
        if stretches and stretches[-1].file == self._number:
            stretches[-1].rows += rows
        else:
            stretches.append(Stretch(self._number, self._rows, rows))
        self._rows += rows

    def end(self, wanted: SourceRun) -> None:
        assert self._line is not None
        line, self._line = self._line, None
        self._runs.write(exported.encode_line(line))
        self._counts[wanted.run.info.run_id] = Census(
            params=len(line.params),
            tags=len(line.tags),
            datasets=len(line.datasets),
            points=sum(one.rows for one in line.points),
        )

    def have(self, run_id: str, key: str) -> Incoming:
        raise NotImplementedError(f"a new folder has no points of {key} of {run_id}")

    def has_file(self, wanted: SourceRun, file: SourceFile) -> bool:  # noqa: ARG002
        return False

    def file(self, wanted: SourceRun, file: SourceFile, open_: Callable[[], BinaryIO]) -> None:
        self._copy(keys.join(exported.ARTIFACTS, wanted.run.info.run_id, file.path), open_)

    # -- histograms and output -----------------------------------------------------------------------------------------

    def histograms_there(self, run_id: str) -> Container[tuple[str, int, int]]:  # noqa: ARG002
        return ()

    def histograms(self, run_id: str, found: Sequence[Histogram]) -> None:
        self._append(exported.HISTOGRAMS, run_id, map(exported.HistogramLine.of, found))

    def lines_there(self, run_id: str) -> LogHead:  # noqa: ARG002
        return LogHead()

    def lines(self, run_id: str, found: Sequence[LogLines]) -> None:
        self._append(exported.OUTPUT, run_id, chain.from_iterable(map(exported.OutputLine.of, found)))

    def _append(self, folder: str, run_id: str, lines: Iterable[Any]) -> None:
        place = self._partial / exported.media_name(folder, run_id)
        place.parent.mkdir(exist_ok=True)
        with place.open("ab") as file:
            file.writelines(map(exported.encode_line, lines))

    # -- models --------------------------------------------------------------------------------------------------------

    def logged_model(self, experiment_id: str, wanted: MovedModel) -> list[Refusal]:  # noqa: ARG002
        self._logged.write(exported.encode_line(moved.logged_out(wanted)))
        return []

    def has_model_file(self, experiment_id: str, model: LoggedModel, file: SourceFile) -> bool:  # noqa: ARG002
        return False

    def model_file(
        self,
        experiment_id: str,  # noqa: ARG002
        model: LoggedModel,
        file: SourceFile,
        open_: Callable[[], BinaryIO],
    ) -> None:
        self._copy(keys.join(exported.MODEL_FILES, model.model_id, file.path), open_)

    def registered_model(self, wanted: MovedRegistration) -> list[Refusal]:
        self._registered.write(exported.encode_line(moved.registered_out(wanted)))
        return []

    def _copy(self, key: str, open_: Callable[[], BinaryIO]) -> None:
        place = self._partial / key
        place.parent.mkdir(parents=True, exist_ok=True)
        with open_() as content, place.open("xb") as copy:
            shutil.copyfileobj(content, copy)

    def flush(self) -> None:
        if self._rows:
            self._write_points()

    def count(self, run_ids: Sequence[str]) -> Mapping[str, Census]:
        return {run_id: self._counts[run_id] for run_id in run_ids if run_id in self._counts}

    def publish(self) -> None:
        """Puts the folder in its place."""
        self.close()
        holds = dict(self.report.target)
        head = Head(format=exported.FORMAT, version=__version__, time=time.time_ns() // 1_000_000, holds=holds)
        (self._partial / exported.HEAD).write_bytes(msgspec.json.format(msgspec.json.encode(head)) + b"\n")
        self._partial.rename(self._folder)

    def discard(self) -> None:
        """Gives up: what was written of it is removed."""
        with suppress(OSError):
            self.close()
        shutil.rmtree(self._partial, ignore_errors=True)

    def close(self) -> None:
        for file in (self._experiments, self._runs, self._logged, self._registered):
            file.close()

    def _write_points(self) -> None:
        from arro3.core import Array, DataType, Field, RecordBatch, Schema
        from arro3.io import write_parquet

        texts, numbers = DataType.utf8(), (DataType.int64(), DataType.int64(), DataType.float64())
        kinds = dict(zip(("run_id", "key", "step", "timestamp", "value"), (texts, texts, *numbers), strict=True))
        schema = Schema([Field(name, kind, nullable=False) for name, kind in kinds.items()])
        run_ids: list[str] = []
        names: list[str] = []
        for run_id, points in self._points:
            run_ids += [run_id] * len(points)
            names += [points.names[place] for place in np.asarray(points.index).tolist()]
        columns: list[Any] = [Array(run_ids, type=texts), Array(names, type=texts)]
        for attribute, kind in (("steps", np.int64), ("timestamps", np.int64), ("values", np.float64)):
            joined = np.concatenate([np.asarray(getattr(points, attribute), kind) for _, points in self._points])
            columns.append(Array.from_numpy(joined))
        batch = RecordBatch.from_arrays(columns, schema=schema)
        content = io.BytesIO()  # on a full disk the library would panic, which nobody can read
        write_parquet(batch, content, compression="zstd(3)")
        (self._partial / exported.file_name(self._number)).write_bytes(content.getbuffer())
        self._points, self._rows = [], 0
        self._number += 1
