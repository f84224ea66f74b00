"""A Logbuch database as the target: SQLite or PostgreSQL, and a folder of artifacts."""

from __future__ import annotations

import getpass
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from logbuch.errors import InvalidInput, LogbuchError, NotFound, Unavailable
from logbuch.files import keys
from logbuch.files.disk import LocalFiles
from logbuch.files.roots import Files
from logbuch.files.storage import Expected
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import Experiment, Run, RunData, RunInputs
from logbuch.registry import Caller, MovedRegistration, Refusal
from logbuch.store import Store, adopt, adopt_models, census, experiments, histograms, logs, runs
from logbuch.store.adopt import Part
from logbuch.store.census import Census
from logbuch.store.histograms import Histogram
from logbuch.store.logged import models
from logbuch.store.logs import LogHead
from logbuch.store.metrics import series
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.target import Known, deleted_with

CHUNK_BYTES = 1024 * 1024
COMMIT_POINTS, COMMIT_PARTS = 150_000, 500
"""What one commit takes: more would only hold up other writers for longer."""
WAITING = 2
"""Commits that may wait while the source is read on."""


class StoreTarget:
    """See :class:`logbuch.transfer.target.Target`. Commits are made by a thread of their own."""

    keeps_ids = True

    def __init__(self, store: Store, files: Files, report: Report) -> None:
        self.name = store.where
        self.report = report
        self._store, self._artifacts = store, files
        self._parts: list[Part] = []
        self._size = 0
        self._places: dict[str, str] = {}
        self._experiment: Experiment | None = None
        self._thread = ThreadPoolExecutor(1, "logbuch-move")
        self._waiting: deque[Future[None]] = deque()

    # -- experiments and runs ------------------------------------------------------------------------------------------

    def experiment(self, wanted: Experiment) -> str:
        location = self._location(wanted.artifact_location)
        id_ = self._store.write(adopt.take_experiment, wanted, location)
        self._places[id_] = self._store.read(experiments.location, id_)
        self._experiment = wanted
        return id_

    def close_experiment(self, experiment_id: str, wanted: Experiment) -> None:
        self.flush()
        self._store.write(adopt.close_experiment, experiment_id, wanted)

    def known(self, run_ids: Sequence[str]) -> Mapping[str, Known]:
        counted = self._store.read(census.of_runs, run_ids)
        return {run_id: Known(self._store.read(runs.get, run_id), counts) for run_id, counts in counted.items()}

    def begin(self, wanted: SourceRun, missing: Run) -> None:
        self._add(Part(missing, wanted.experiment_id, self._deleted_time(wanted), []), 1)

    def points(self, wanted: SourceRun, points: Incoming) -> None:
        run_id = wanted.run.info.run_id
        if self._parts and self._parts[-1].run.info.run_id == run_id:
            part = self._parts.pop()
            self._add(part._replace(points=[*part.points, points]), len(points))
        else:
            bare = msgspec.structs.replace(wanted.run, data=RunData(), inputs=RunInputs())
            self._add(Part(bare, wanted.experiment_id, self._deleted_time(wanted), [points], head=False), len(points))

    def end(self, wanted: SourceRun) -> None:
        """The head was set with the first part."""

    def _deleted_time(self, wanted: SourceRun) -> int | None:
        """Runs that were deleted with their experiment bear its time, by which they are found when it comes back."""
        assert self._experiment is not None
        if deleted_with(self._experiment, wanted):
            return self._experiment.last_update_time or wanted.deleted_time
        return wanted.deleted_time

    def have(self, run_id: str, key: str) -> Incoming:
        self.flush()
        found = self._store.read(series.between, run_id, key)
        return Incoming([key], np.zeros(len(found), np.int64), found.steps, found.timestamps, found.values)

    def count(self, run_ids: Sequence[str]) -> Mapping[str, Census]:
        return self._store.read(census.of_runs, run_ids)

    # -- files ---------------------------------------------------------------------------------------------------------

    def has_file(self, wanted: SourceRun, file: SourceFile) -> bool:
        return self._has(self._key(wanted, file), file)

    def file(self, wanted: SourceRun, file: SourceFile, open_: Callable[[], BinaryIO]) -> None:
        self._receive(self._key(wanted, file), file, open_)

    def _has(self, key: str, file: SourceFile) -> bool:
        try:
            size = self._artifacts.stat(key).size
        except NotFound:
            return False
        if self._lies_there(key, file):
            self.report.note("artifacts that were left where they lie")
        return file.size in (None, size)

    def _receive(self, key: str, file: SourceFile, open_: Callable[[], BinaryIO]) -> None:
        with open_() as content, self._artifacts.receive(key, Expected(file.size)) as receiving:
            while chunk := content.read(CHUNK_BYTES):
                receiving.write((chunk,))
            receiving.finish()

    def _lies_there(self, key: str, file: SourceFile) -> bool:
        """Whether the source's own file lies where it is looked for here."""
        root, inside = self._artifacts.place(key)
        here = root.root / inside if isinstance(root, LocalFiles) else None
        return here is not None and Path(file.place).is_file() and here.samefile(file.place)

    # -- histograms and output -----------------------------------------------------------------------------------------

    def histograms_there(self, run_id: str) -> Container[tuple[str, int, int]]:
        found = self._store.read(histograms.steps, run_id)
        return {(key, step, time) for key, places in found.items() for step, time in places}

    def histograms(self, run_id: str, found: Sequence[Histogram]) -> None:
        self._store.write(histograms.take, run_id, found)

    def lines_there(self, run_id: str) -> LogHead:
        return self._store.read(logs.head, run_id)

    def lines(self, run_id: str, found: Sequence[LogLines]) -> None:
        self._store.write(logs.take, run_id, found)

    # -- models --------------------------------------------------------------------------------------------------------

    def logged_model(self, experiment_id: str, wanted: MovedModel) -> list[Refusal]:
        self.flush()
        return self._store.write(adopt_models.take_logged, experiment_id, wanted)

    def has_model_file(self, experiment_id: str, model: LoggedModel, file: SourceFile) -> bool:
        return self._has(self._model_key(experiment_id, model, file), file)

    def model_file(
        self, experiment_id: str, model: LoggedModel, file: SourceFile, open_: Callable[[], BinaryIO]
    ) -> None:
        self._receive(self._model_key(experiment_id, model, file), file, open_)

    def registered_model(self, wanted: MovedRegistration) -> list[Refusal]:
        by = Caller(user=getpass.getuser(), address=f"import from {self.report.origin}")
        return self._store.write(adopt_models.take_registered, wanted, by)

    def _model_key(self, experiment_id: str, model: LoggedModel, file: SourceFile) -> str:
        return keys.join(self._places[experiment_id], models.folder(model), file.path)

    # -- commits -------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        self._submit()
        while self._waiting:
            self._waiting.popleft().result()

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._store.close()

    def _add(self, part: Part, size: int) -> None:
        self._parts.append(part)
        self._size += size
        if self._size >= COMMIT_POINTS or len(self._parts) >= COMMIT_PARTS:
            self._submit()

    def _submit(self) -> None:
        parts, self._parts, self._size = self._parts, [], 0
        if parts:
            self._waiting.append(self._thread.submit(self._commit, parts))
        while len(self._waiting) > WAITING:
            self._waiting.popleft().result()

    def _commit(self, parts: Sequence[Part]) -> None:
        try:
            self._store.write(adopt.take, [part.run.info.run_id for part in parts], parts)
        except Unavailable:
            raise
        except LogbuchError as error:
            if len(parts) == 1:
                self.report.lost(f"run {parts[0].run.info.run_id}, or a part of it", error.message)
                return
            for part in parts:  # one of them is to blame: only that one is left out
                self._commit([part])

    # -- places --------------------------------------------------------------------------------------------------------

    def _location(self, wanted: str) -> str:
        """The folder of an experiment's artifacts below our root, where they lie there already."""
        try:
            return self._artifacts.location(wanted) if wanted.startswith(("/", "file:", "s3:")) else ""
        except InvalidInput:
            return ""

    def _key(self, wanted: SourceRun, file: SourceFile) -> str:
        return keys.run_key(self._places[wanted.experiment_id], wanted.run.info.run_id, file.path)
