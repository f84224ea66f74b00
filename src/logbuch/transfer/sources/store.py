"""A Logbuch database as the source: all of it, or what a search finds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, BinaryIO

import numpy as np

from logbuch.files import keys
from logbuch.files.roots import Files
from logbuch.limits import INT64_MAX, LOG_LINES_PER_PAGE, RUNS_PER_PAGE_DEFAULT
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import Experiment, ViewType
from logbuch.registry import MovedRegistration
from logbuch.store import Store, adopt_models, check, experiments, histograms, logs, runs, search
from logbuch.store.histograms import Histogram
from logbuch.store.logged import models
from logbuch.store.metrics import series
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.metrics.points import Series
from logbuch.store.tx import LogLines
from logbuch.transfer import output
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun

PART_POINTS = 500_000
_IN_MEMORY = 8 * 1024 * 1024


class StoreSource:
    """See :class:`logbuch.transfer.source.Source`. ``names`` are experiments, all of them where there are none."""

    one_by_one = False

    def __init__(
        self, store: Store, files: Files, report: Report, *, names: Sequence[str] = (), filter_text: str = ""
    ) -> None:
        self.name = store.where
        self.report = report
        self._store, self._artifacts = store, files
        self._names, self._filter = frozenset(names), filter_text
        self.partial = bool(names or filter_text)

    def experiments(self) -> Iterable[Experiment]:
        token: str | None = ""
        while token is not None:
            found, token = self._store.read(
                search.experiments,
                "",
                ["creation_time ASC", "experiment_id ASC"],
                RUNS_PER_PAGE_DEFAULT,
                token,
                ViewType.ALL,
            )
            yield from (one for one in found if not self._names or one.name in self._names)

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        token: str | None = ""
        while token is not None:
            ids, order = [experiment.experiment_id], ["attributes.start_time ASC"]
            found, token = self._store.read(search.runs, ids, self._filter, order, 200, token, ViewType.ALL)
            for run in found:
                yield SourceRun(run, self._store.read(runs.row, run.info.run_id).deleted_time)

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        left: Sequence[str] = sorted(run.run.data.metrics)
        while left:
            found, left = self._store.read(series.several, run.run.info.run_id, left, PART_POINTS)
            yield from _parts(found)

    def histograms(self, run: SourceRun) -> Iterator[Histogram]:
        run_id = run.run.info.run_id
        for key in self._store.read(histograms.steps, run_id):
            yield from self._store.read(histograms.read, run_id, key, INT64_MAX).found

    def lines(self, run: SourceRun) -> Iterator[LogLines]:
        run_id = run.run.info.run_id
        return output.of_pages(lambda after: self._store.read(logs.page, run_id, after, None, LOG_LINES_PER_PAGE))

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        run_id = run.run.info.run_id
        return self._below(keys.run_key(self._store.read(runs.artifact_folder, run_id), run_id))

    def _below(self, key: str) -> Iterator[SourceFile]:
        root, inside = self._artifacts.place(key)
        for found in sorted(root.walk(inside), key=lambda one: one.key):
            if not found.pending:
                path = found.key.removeprefix(inside).lstrip("/")
                yield SourceFile(path, found.size, f"{key}/{path}")

    def logged_models(self, experiment: Experiment) -> Iterable[MovedModel]:
        return self._store.read(adopt_models.logged_of, experiment.experiment_id)

    def model_files(self, model: LoggedModel) -> Iterator[SourceFile]:
        location = self._store.read(experiments.location, model.experiment_id)
        return self._below(keys.join(location, models.folder(model)))

    def registered_models(self) -> Iterable[MovedRegistration]:
        return self._store.read(adopt_models.registered)

    def open(self, file: SourceFile) -> BinaryIO:
        held: Any = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  whoever asked for it closes it
        with closing(self._artifacts.open(file.place)) as opened:
            for start in range(0, opened.stat.size, opened.window):
                held.write(opened.read(start, min(opened.window, opened.stat.size - start)))
        held.seek(0)
        made: BinaryIO = held
        return made

    def totals(self) -> Mapping[str, int]:
        if self._names or self._filter:
            return {}
        sums = self._store.read(check.sums)
        return {noun: sums.rows[noun] for noun in ("experiments", "runs", "params", "tags")}

    def close(self) -> None:
        self._store.close()


def _parts(found: Mapping[str, Series]) -> Iterator[Incoming]:
    """Some short series together, or a long one part by part."""
    index = np.repeat(np.arange(len(found)), [len(one) for one in found.values()])
    points = Series.concat(list(found.values()))
    for start in range(0, len(points), PART_POINTS):
        part = points[start : start + PART_POINTS]
        yield Incoming(list(found), index[start : start + PART_POINTS], part.steps, part.timestamps, part.values)
