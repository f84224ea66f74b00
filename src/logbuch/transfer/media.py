"""Moving what runs hold beyond points and files: histograms and console output, what is there already left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from logbuch.errors import LogbuchError, Unavailable
from logbuch.store.histograms import Histogram
from logbuch.store.logs import LogHead, OpenLine
from logbuch.store.tx import LogLines
from logbuch.transfer.report import Report
from logbuch.transfer.source import MediaSource, SourceRun
from logbuch.transfer.target import MediaTarget

HISTOGRAMS, LINES = "histograms", "lines"
HISTOGRAMS_AT_ONCE, LINES_AT_ONCE = 200, 10_000
LEFT = "runs whose histograms or console output stay behind, for the other side has no place for them"


class MediaMove:
    """The media of one move, run by run. ``flush`` makes durable what the target has of a run so far."""

    def __init__(self, source: MediaSource, target: MediaTarget, report: Report, flush: Callable[[], None]) -> None:
        self.one_by_one = source.one_by_one
        self._source, self._target, self._report, self._flush = source, target, report, flush

    def run(self, wanted: SourceRun) -> None:
        """Moves the histograms and the output of a run, which has been begun."""
        self._histograms(wanted)
        self._lines(wanted)

    # -- histograms ----------------------------------------------------------------------------------------------------

    def _histograms(self, wanted: SourceRun) -> None:
        run_id = wanted.run.info.run_id
        there = None
        waiting: list[Histogram] = []
        for one in self._source.histograms(wanted):
            if there is None:
                self._flush()
                there = self._target.histograms_there(run_id)
            self._report.source[HISTOGRAMS] += 1
            if (one.key, one.step, one.timestamp) in there:
                self._report.already[HISTOGRAMS] += 1
                self._report.target[HISTOGRAMS] += 1
                continue
            waiting.append(one)
            if len(waiting) >= HISTOGRAMS_AT_ONCE:
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

    # -- output --------------------------------------------------------------------------------------------------------

    def _lines(self, wanted: SourceRun) -> None:
        run_id = wanted.run.info.run_id
        known: _Known | None = None
        waiting: list[LogLines] = []
        for found in self._source.lines(wanted):
            if known is None:
                self._flush()
                known = _Known(self._target.lines_there(run_id))
            rest = known.beyond(found)
            before = len(found.texts) - len(rest.texts)
            self._report.source[LINES] += len(found.texts)
            self._report.already[LINES] += before
            self._report.target[LINES] += before
            if rest.texts or rest.dropped or rest.open:
                waiting.append(rest)
            if sum(len(one.texts) for one in waiting) >= LINES_AT_ONCE:
                self._write(run_id, waiting)
                waiting = []
        if waiting:
            self._write(run_id, waiting)

    def _write(self, run_id: str, found: Sequence[LogLines]) -> None:
        if self._try(f"output of run {run_id}", True, self._target.lines, run_id, found):
            self._report.target[LINES] += sum(len(one.texts) for one in found)

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


class MediaLeft:
    """Counts the runs whose media a target has no place for."""

    def __init__(self, source: MediaSource, report: Report) -> None:
        self.one_by_one = source.one_by_one
        self._source, self._report = source, report

    def run(self, wanted: SourceRun) -> None:
        """Looks whether a run has any."""
        found = next(self._source.histograms(wanted), None) or next(self._source.lines(wanted), None)
        self._report.note(LEFT, found is not None)


class _Known:
    """What a target has of a log: its beginning, as far as it came."""

    def __init__(self, head: LogHead) -> None:
        self._lines, self._dropped, self._open = head.total, head.dropped, set(head.open)
        self._grown = False

    def beyond(self, found: LogLines) -> LogLines:
        """What of these lines, which follow those of the last call, is not there yet."""
        lines, dropped = min(self._lines, len(found.texts)), min(self._dropped, found.dropped)
        self._lines, self._dropped = self._lines - lines, self._dropped - dropped
        rest = found._replace(times=found.times[lines:], texts=found.texts[lines:], dropped=found.dropped - dropped)
        self._grown = self._grown or bool(rest.texts)
        standing = OpenLine(found.source, found.stream, found.open_time, found.open)
        if not self._grown and standing in self._open:  # lines that follow would have ended it
            rest = rest._replace(open="")
        return rest
