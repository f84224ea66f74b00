"""Writing to one run: what a caller logs becomes an entry of the journal, in microseconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import DatasetInput, Run, RunInfo, RunStatus
from logbuch.sdk import values
from logbuch.sdk.backends.calls import FileCall
from logbuch.sdk.shipping.records import Kind, Record
from logbuch.sdk.shipping.sender import Sender
from logbuch.wire import ingest

_KNOWN_KEYS = 100_000
_DAY_MS = 86_400_000
Pairs = list[tuple[str, str]]


class RunWriter:
    """Takes what is logged to a run. It knows the params that the run has, so a changed one is an error at once."""

    def __init__(self, run: Run, sender: Sender) -> None:
        self.info: RunInfo = run.info
        self.run_id = run.info.run_id
        self._sender = sender
        self._point, self._row = sender.journal.point, sender.journal.row
        self._params = dict(run.data.params)
        self._keys: set[str] = set()
        self._clock = _last_time(run)
        self._origin, self._counted = 0, -1

    def metric(self, key: str, value: Any, step: Any = None, timestamp: Any = None) -> None:
        """Logs a point. ``timestamp`` in Unix ms, now by default; it never goes back within a run."""
        try:
            if key not in self._keys:
                self._know(key)
        except TypeError:  # no hashable one
            values.check_key(key, "metric key")
        if type(value) is not float:
            value = values.as_float(value, key)
        if step is None:
            step = 0
        elif type(step) is not int or not limits.INT64_MIN <= step <= limits.INT64_MAX:
            step = values.as_integer(step, "step")
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
            if timestamp < self._clock:
                timestamp = self._onward()
            else:
                self._clock = timestamp
        else:
            timestamp = values.as_integer(timestamp, "timestamp")
        if not self._point(self.run_id, key, value, step, timestamp):
            self._sender.drop(self.run_id)
        if self._sender.idle:
            self._sender.nudge()

    def metrics(self, metrics: Mapping[str, Any], step: Any = None, timestamp: Any = None) -> None:
        """Logs several points of one step: all of them, or, if one cannot be, none."""
        known = self._keys
        if type(metrics) is not dict:
            metrics = values.as_mapping(metrics, "metrics")
        numbers = [
            value if type(value) is float and key in known else values.as_float(value, self._know(key))
            for key, value in metrics.items()
        ]
        if not numbers:
            return
        step = 0 if step is None else values.as_integer(step, "step")
        timestamp = self.now() if timestamp is None else values.as_integer(timestamp, "timestamp")
        if not self._row(self.run_id, tuple(metrics), numbers, step, timestamp):
            self._sender.drop(self.run_id)
        if self._sender.idle:
            self._sender.nudge()

    def params(self, params: Mapping[str, Any]) -> None:
        """Logs params: all of them, or, if one cannot be, none."""
        checked = {key: self._check_param(key, value) for key, value in values.as_mapping(params, "params").items()}
        new = {key: value for key, value in checked.items() if key not in self._params}
        self._params |= new
        for pairs in _portions(new, limits.PARAMS_PER_BATCH):
            self._put(ingest.Params(self.run_id, pairs))

    def forget_params(self) -> None:
        """Other ranks log to the run too, and may have been faster: of a param that differs from theirs the first one
        stays, and the other is refused by the store and counted."""
        self._params.clear()

    def tags(self, tags: Mapping[str, Any], *, vital: bool = False) -> None:
        """Sets tags: all of them, or, if one cannot be, none. ``vital`` ones find room where others do not."""
        given = values.as_mapping(tags, "tags").items()
        checked = {values.check_key(key, "tag key"): values.as_tag(value, key) for key, value in given}
        for pairs in _portions(checked, limits.TAGS_PER_BATCH):
            self._sender.put(ingest.Tags(self.run_id, pairs), self.run_id, vital=vital)

    def delete_tag(self, key: str) -> None:
        """Takes a tag away, when it is its turn."""
        self._put(ingest.DeleteTag(self.run_id, key))

    def inputs(self, datasets: Sequence[DatasetInput]) -> None:
        """Notes data sets that the run uses."""
        self._put(ingest.Inputs(self.run_id, [_used(dataset) for dataset in datasets]))

    def log(
        self, stream: str, times: Sequence[int], texts: Sequence[str], open_line: str, dropped: int, source: str = ""
    ) -> None:
        """Notes lines of console output and the line without an end behind them; see the native ingest protocol."""
        now = time.time_ns() // 1_000_000
        record = ingest.Log(self.run_id, stream, list(times), list(texts), open_line, now, dropped, source)
        self._sender.put(record, self.run_id, counted=False)

    def histogram(
        self,
        key: str,
        step: int,
        timestamp: int,
        edges: Sequence[float],
        counts: Sequence[float],
        nan: int,
        infinite: int,
    ) -> None:
        """Logs a histogram; see the native ingest protocol."""
        self._put(ingest.histogram(self.run_id, key, step, timestamp, edges, counts, nan, infinite))

    def alert(self, level: str, title: str, text: str) -> None:
        """Raises an alert about the run; it finds room where other records do not."""
        record = ingest.Alert(self.run_id, time.time_ns() // 1_000_000, level, title, text)
        self._sender.put(record, self.run_id, vital=True)

    def end(self, status: RunStatus, end_time: int) -> None:
        """Sets the final status, behind all that was logged before."""
        self._sender.put(ingest.Update(self.run_id, status, end_time), self.run_id, vital=True)

    def now(self) -> int:
        """The time of what is logged now (Unix ms), which never goes back within a run."""
        wall = time.time_ns() // 1_000_000
        if wall < self._clock:
            return self._onward()
        self._clock = wall
        return wall

    def file(self, call: FileCall) -> None:
        """Queues a call about a file."""
        self._sender.put_file(Record(Kind.CALL, self.run_id, (call,)))

    def _onward(self) -> int:
        """The machine's clock was set back: until it has caught up, time goes on from the last that was logged."""
        elapsed = time.monotonic_ns() // 1_000_000
        if self._clock != self._counted:  # the clock was right until now
            self._origin = self._clock - elapsed
        self._clock = self._counted = max(self._clock, self._origin + elapsed)
        return self._clock

    def _put(self, record: ingest.Record) -> None:
        self._sender.put(record, self.run_id)

    def _know(self, key: Any) -> str:
        if key not in self._keys:
            values.check_key(key, "metric key")
            if len(self._keys) < _KNOWN_KEYS:
                self._keys.add(key)
        return str(key)

    def _check_param(self, key: Any, value: Any) -> str:
        values.check_key(key, "param key")
        text = values.as_param(value, key)
        old = self._params.get(key, text)
        if old != text:
            raise InvalidInput(
                f"Changing param values is not allowed. Param with key='{key}' was already logged with "
                f"value='{limits.clip(old)}' for run ID='{self.run_id}'. Attempted logging new value "
                f"'{limits.clip(text)}'."
            )
        return text


class RankWriter(RunWriter):
    """Writes to a run that another rank of a distributed training has begun: keys of metrics bear this one's label.

    Params and tags do not, for all ranks log the same ones. A param that differs is refused by the store, and counted:
    it ends no rank.
    """

    def __init__(self, run: Run, sender: Sender, label: str) -> None:
        super().__init__(run, sender)
        self._label = label

    def metric(self, key: str, value: Any, step: Any = None, timestamp: Any = None) -> None:
        super().metric(f"{self._label}{key}", value, step, timestamp)

    def metrics(self, metrics: Mapping[str, Any], step: Any = None, timestamp: Any = None) -> None:
        super().metrics({f"{self._label}{key}": value for key, value in metrics.items()}, step, timestamp)

    def params(self, params: Mapping[str, Any]) -> None:
        self.forget_params()
        super().params(params)


def _last_time(run: Run) -> int:
    """The time from which a run goes on: of its last point, if that can be believed."""
    latest = max((point.timestamp for point in run.data.metric_points), default=0)
    return latest if latest < time.time_ns() // 1_000_000 + _DAY_MS else 0


def _portions(values: Mapping[str, str], size: int) -> Iterator[Pairs]:
    pairs = list(values.items())
    for begin in range(0, len(pairs), size):
        yield pairs[begin : begin + size]


def _used(given: DatasetInput) -> ingest.UsedDataset:
    dataset = given.dataset
    return ingest.UsedDataset(
        dataset.name,
        dataset.digest,
        dataset.source_type,
        dataset.source,
        dataset.schema,
        dataset.profile,
        [(tag.key, tag.value) for tag in given.tags],
    )
