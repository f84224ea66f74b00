"""A running tracking server as a source, over MLflow's REST protocol: MLflow's or a Logbuch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import urlencode

import numpy as np

from logbuch.errors import EndpointNotFound, LogbuchError, NotFound, Unavailable
from logbuch.limits import clip
from logbuch.model import Experiment, Metric, Run, ViewType
from logbuch.sdk.http import HttpBackend
from logbuch.sdk.transport import Transport
from logbuch.store.metrics.incoming import Incoming
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.sources.infinities import restore

EXPERIMENTS_AT_ONCE, RUNS_AT_ONCE, POINTS_AT_ONCE = 1000, 500, 25_000
_IN_MEMORY = 8 * 1024 * 1024


class TrackingServer:
    """See :class:`logbuch.transfer.source.Source`. ``infinities=False`` leaves the largest doubles as they are."""

    def __init__(
        self, uri: str, report: Report, *, infinities: bool = True, names: Sequence[str] = (), filter_text: str = ""
    ) -> None:
        self._names, self._filter = frozenset(names), filter_text
        self.report = report
        self._backend, self._transport = HttpBackend(uri), Transport(uri)
        self.name = self._backend.uri
        self._infinities = infinities

    def experiments(self) -> Iterable[Experiment]:
        token = ""
        while True:
            found, following = self._backend.search_experiments(
                ViewType.ALL, EXPERIMENTS_AT_ONCE, "", ["creation_time ASC"], token
            )
            yield from (one for one in found if not self._names or one.name in self._names)
            if not following:
                return
            token = following

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        token = ""
        with self._telling(f"runs of experiment {clip(experiment.name)!r}"):
            while True:
                found, following = self._backend.search_runs(
                    [experiment.experiment_id],
                    self._filter,
                    ViewType.ALL,
                    RUNS_AT_ONCE,
                    ["attributes.start_time ASC"],
                    token,
                )
                yield from map(SourceRun, found)
                if not following:
                    return
                token = following

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        run_id = run.run.info.run_id
        for key in run.run.data.metrics:
            token = ""
            with self._telling(f"points of metric {key!r} of run {run_id}"):
                while True:
                    found, following = self._backend.metric_history(run_id, key, POINTS_AT_ONCE, token)
                    if found:
                        yield self._columns(key, found)
                    if not following:
                        break
                    token = following

    def _columns(self, key: str, found: list[Metric]) -> Incoming:
        points = sorted(found, key=lambda point: (point.step, point.timestamp))
        values = np.array([point.value for point in points], np.float64)
        if self._infinities:
            restore(values, self.report)
        steps, times = [point.step for point in points], [point.timestamp for point in points]
        index = np.zeros(len(points), np.int64)
        return Incoming([key], index, np.array(steps, np.int64), np.array(times, np.int64), values)

    # -- files ---------------------------------------------------------------------------------------------------------

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        with self._telling(f"artifacts of run {run.run.info.run_id}"):
            yield from self._below(run.run, "")

    def _below(self, run: Run, folder: str) -> Iterator[SourceFile]:
        for info in self._backend.list_artifacts(run.info, folder):
            if info.is_dir:
                yield from self._below(run, info.path)
            else:
                address = "/get-artifact?" + urlencode({"path": info.path, "run_uuid": run.info.run_id})
                yield SourceFile(info.path, info.file_size, address)

    def open(self, file: SourceFile) -> BinaryIO:
        """The server hands the file on, wherever it lies."""
        held: Any = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  whoever asked for it closes it
        try:
            for chunk in self._transport.download(file.place):
                held.write(chunk)
        except EndpointNotFound:
            held.close()
            raise NotFound("the server lists it and does not have it") from None
        except BaseException:
            held.close()
            raise
        held.seek(0)
        made: BinaryIO = held
        return made

    def totals(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        self._backend.close()
        self._transport.close()

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """What the server refuses is told; a server that is gone ends the move, which can be run again."""
        try:
            yield
        except Unavailable:
            raise
        except LogbuchError as error:
            self.report.lost(what, error.message)
