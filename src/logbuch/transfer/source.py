"""What moving wants of the place that experiments and runs come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from logbuch.model import Experiment, Run
from logbuch.store.histograms import Histogram
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import LogLines
from logbuch.transfer.report import Report


class SourceRun(NamedTuple):
    """A run as the source holds it, without its points; ``deleted_time`` in ms, where the source knows it.

    ``points`` is how many points the source counts for it; None where counting means reading them.
    """

    run: Run
    deleted_time: int | None = None
    points: int | None = None
    experiment_id: str = ""
    """Of its experiment at the target."""


class SourceFile(NamedTuple):
    """A file of a run: its path below the run's artifacts, and its size in bytes where that is known."""

    path: str
    size: int | None
    place: str
    """Where it lies, for messages and for :meth:`Source.open`."""


class Source(Protocol):
    """A place that is read. What cannot be read is told to ``report`` and left out; nothing there is changed."""

    name: str
    report: Report
    partial: bool
    """Whether it was asked for a part alone: some experiments, or the runs that a search finds."""

    def experiments(self) -> Iterable[Experiment]: ...
    def runs(self, experiment: Experiment) -> Iterable[SourceRun]: ...
    def points(self, run: SourceRun) -> Iterator[Incoming]:
        """The points of a run in parts of limited size; those of one key follow each other, by step and time."""

    def files(self, run: SourceRun) -> Iterator[SourceFile]: ...
    def open(self, file: SourceFile) -> BinaryIO:
        """A file to read from; OSError or LogbuchError if it cannot be."""

    def totals(self) -> Mapping[str, int]:
        """How much there is by the source's own count, such as ``runs`` and ``points``; empty where it has none."""

    def close(self) -> None: ...


@runtime_checkable
class MediaSource(Protocol):
    """A source whose runs have histograms and console output too."""

    one_by_one: bool
    """Whether it can tell of the run alone that it named last."""

    def histograms(self, run: SourceRun) -> Iterator[Histogram]: ...
    def lines(self, run: SourceRun) -> Iterator[LogLines]:
        """The console output, in the order in which it came."""
