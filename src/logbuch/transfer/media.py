"""Moving what runs hold beyond points and files: histograms and console output, what is there already left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from logbuch.errors import LogbuchError, Unavailable
from logbuch.store.histograms import Histogram
from logbuch.transfer.report import Report
from logbuch.transfer.source import MediaSource, SourceRun
from logbuch.transfer.target import MediaTarget

HISTOGRAMS, LINES = "histograms", "lines"
AT_ONCE = 200


class MediaMove:
    """The media of one move, run by run."""

    def __init__(self, source: MediaSource, target: MediaTarget, report: Report) -> None:
        self._source, self._target, self._report = source, target, report

    def run(self, wanted: SourceRun) -> None:
        """Moves the histograms and the output of a run, which has to be there."""
        self._histograms(wanted)
        self._lines(wanted)

    def _histograms(self, wanted: SourceRun) -> None:
        run_id = wanted.run.info.run_id
        there = None
        waiting: list[Histogram] = []
        for one in self._source.histograms(wanted):
            there = self._target.histograms_there(run_id) if there is None else there
            self._report.source[HISTOGRAMS] += 1
            if (one.key, one.step, one.timestamp) in there:
                self._report.already[HISTOGRAMS] += 1
                self._report.target[HISTOGRAMS] += 1
                continue
            waiting.append(one)
            if len(waiting) >= AT_ONCE:
                self._put(run_id, waiting)
                waiting = []
        if waiting:
            self._put(run_id, waiting)

    def _put(self, run_id: str, found: Sequence[Histogram]) -> None:
        """Writes histograms; where one breaks a rule, that one alone is left out."""
        if self._try(f"histograms of run {run_id}", len(found) == 1, self._target.histograms, run_id, found):
            self._report.target[HISTOGRAMS] += len(found)
        elif len(found) > 1:
            for one in found:
                self._put(run_id, [one])

    def _lines(self, wanted: SourceRun) -> None:
        run_id = wanted.run.info.run_id
        there: int | None = None
        for found in self._source.lines(wanted):
            there = self._target.lines_there(run_id) if there is None else there
            count = len(found.texts)
            self._report.source[LINES] += count
            known = min(there, count)
            there -= known
            self._report.already[LINES] += known
            self._report.target[LINES] += known
            if known == count:
                continue
            rest = found._replace(times=found.times[known:], texts=found.texts[known:])
            if self._try(f"output of run {run_id}", True, self._target.lines, run_id, rest):
                self._report.target[LINES] += count - known

    def _try(self, what: str, tell: bool, call: Callable[..., None], *arguments: object) -> bool:
        try:
            call(*arguments)
        except Unavailable:
            raise
        except LogbuchError as error:
            if tell:
                self._report.lost(what, error.message)
            return False
        return True
