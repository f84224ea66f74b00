"""What moving wants of the place that experiments and runs go to."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from logbuch.model import Experiment, LifecycleStage, Run
from logbuch.store.census import Census
from logbuch.store.histograms import Histogram
from logbuch.store.logs import LogHead
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer.models import ModelTarget
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun


class Known(NamedTuple):
    """A run that the target has already, and how much of each kind it holds."""

    run: Run
    census: Census


class Target(ModelTarget, Protocol):
    """A place that is written. What it refuses is told to ``report``.

    Writing may be put off until :meth:`flush`. The same again changes nothing.
    """

    name: str
    report: Report
    keeps_ids: bool
    """Whether a run keeps its ID there."""

    def experiment(self, wanted: Experiment) -> str:
        """Makes an experiment or finds it by its name; returns its ID there."""

    def close_experiment(self, experiment_id: str, wanted: Experiment) -> None:
        """Told when all runs of an experiment were written."""

    def known(self, run_ids: Sequence[str]) -> Mapping[str, Known]:
        """Those of these runs that are there already."""

    def begin(self, wanted: SourceRun, missing: Run) -> None:
        """Makes a run as it is wanted, with the data in ``missing``; adds them where the run is there already."""

    def points(self, wanted: SourceRun, points: Incoming) -> None: ...
    def have(self, run_id: str, key: str) -> Incoming:
        """The points of one metric that are there already."""

    def has_file(self, wanted: SourceRun, file: SourceFile) -> bool:
        """Whether the file is there, whole or by lying where the target would look for it."""

    def file(self, wanted: SourceRun, file: SourceFile, open_: Callable[[], BinaryIO]) -> None: ...
    def end(self, wanted: SourceRun) -> None:
        """Told when all of a run was handed over: sets its status, end and deletion."""

    def flush(self) -> None:
        """Returns when all of it is durable."""

    def count(self, run_ids: Sequence[str]) -> Mapping[str, Census]:
        """How much of each kind these runs hold there now."""

    def close(self) -> None: ...


def deleted_with(experiment: Experiment, run: SourceRun) -> bool:
    """Whether a run was deleted together with its experiment, with which it then comes back.

    MLflow notes the time of either by itself, the runs' after the experiment's. Where it does not tell a run's time,
    it brings back every run of an experiment.
    """
    if LifecycleStage.ACTIVE in (experiment.lifecycle_stage, run.run.info.lifecycle_stage):
        return False
    return run.deleted_time is None or run.deleted_time >= experiment.last_update_time


@runtime_checkable
class MediaTarget(Protocol):
    """A target that keeps histograms and console output. Both are durable when the call returns."""

    def histograms_there(self, run_id: str) -> Container[tuple[str, int, int]]:
        """Key, step and time of the histograms that a run has already."""

    def histograms(self, run_id: str, found: Sequence[Histogram]) -> None: ...
    def lines_there(self, run_id: str) -> LogHead:
        """How many lines of console output ever came for a run, how many were left out, and which have no end."""

    def lines(self, run_id: str, found: Sequence[LogLines]) -> None: ...
