"""Writing to one run: what a caller logs becomes a record in the sender's queue, in microseconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Run, RunInfo
from logbuch.sdk import values
from logbuch.sdk.calls import Call, FileCall
from logbuch.sdk.queue import Kind, Record
from logbuch.sdk.sender import Sender

_KNOWN_KEYS = 100_000
_METRIC, _PARAM, _TAG = Kind.METRIC, Kind.PARAM, Kind.TAG


class RunWriter:
    """Takes what is logged to a run. It knows the params that the run has, so a changed one is an error at once."""

    def __init__(self, run: Run, sender: Sender) -> None:
        self.info: RunInfo = run.info
        self.run_id = run.info.run_id
        self._put, self._put_file = sender.put, sender.put_file
        self._params = dict(run.data.params)
        self._keys: set[str] = set()
        self._clock = 0

    def metric(self, key: str, value: Any, step: Any = None, timestamp: Any = None) -> None:
        """Logs a point. ``timestamp`` in Unix ms, now by default; it never goes back within a run."""
        if key not in self._keys:
            self._know(key)
        if type(value) is not float:
            value = values.as_float(value, key)
        if step is None:
            step = 0
        elif type(step) is not int or not limits.INT64_MIN <= step <= limits.INT64_MAX:
            step = values.as_integer(step, "step")
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
            if timestamp < self._clock:
                timestamp = self._clock
            else:
                self._clock = timestamp
        else:
            timestamp = values.as_integer(timestamp, "timestamp")
        self._put(Record(_METRIC, self.run_id, (key, value, timestamp, step)))

    def metrics(self, metrics: Mapping[str, Any], step: Any = None, timestamp: Any = None) -> None:
        """Logs several points of one step: all of them, or, if one cannot be, none."""
        checked = {key: values.as_float(value, self._know(key)) for key, value in metrics.items()}
        moment = timestamp if timestamp is not None else max(time.time_ns() // 1_000_000, self._clock)
        for key, value in checked.items():
            self.metric(key, value, step, moment)

    def params(self, params: Mapping[str, Any]) -> None:
        """Logs params: all of them, or, if one cannot be, none."""
        checked = {key: self._check_param(key, value) for key, value in params.items()}
        for key, value in checked.items():
            if key not in self._params:
                self._params[key] = value
                self._put(Record(_PARAM, self.run_id, (key, value)))

    def tags(self, tags: Mapping[str, Any]) -> None:
        """Sets tags: all of them, or, if one cannot be, none."""
        checked = {values.check_key(key, "tag key"): values.as_tag(value, key) for key, value in tags.items()}
        for key, value in checked.items():
            self._put(Record(_TAG, self.run_id, (key, value)))

    def call(self, call: Call) -> None:
        """Queues a call behind what was logged before."""
        self._put(Record(Kind.CALL, self.run_id, (call,)))

    def file(self, call: FileCall) -> None:
        """Queues a call about a file."""
        self._put_file(Record(Kind.CALL, self.run_id, (call,)))

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
