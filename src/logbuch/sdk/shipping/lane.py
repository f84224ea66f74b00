"""The lane of files: uploads have a thread of their own, so that a file that cannot be sent now delays nothing else.

What fails is set aside and tried again when it is due; files of the same path keep their order.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from logbuch.errors import LogbuchError, PermissionDenied, Unavailable
from logbuch.sdk.backends.backend import Backend, own_error
from logbuch.sdk.shipping.records import Record

LIMIT_BYTES = 256 * 1024 * 1024
_LONGEST_PAUSE, _HURRIED_PAUSE = 30.0, 1.0
_TRIES = 4
"""How often a file is sent whose refusal may be a passing trouble of the server's."""
_OUTAGE = 3
"""After so many failures in a row every file waits, for the trouble is not this file's."""


@dataclass(slots=True)
class Row:
    """Files of one path of a run, the oldest first; ``due`` is the time before which they are left alone."""

    due: float
    records: deque[Record] = field(default_factory=deque)
    tries: int = 0


class FileLane:
    """Sends calls about files. ``refuse`` is told of what is given up, ``failed`` of what must wait. While records
    cannot be sent either, ``troubled``, no file is given up."""

    def __init__(
        self,
        backend: Backend,
        refuse: Callable[[Record, LogbuchError], None],
        failed: Callable[[Record, LogbuchError], None],
        first_pause: float,
        troubled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.sent = 0
        self.trouble: LogbuchError | None = None
        self._backend, self._refuse, self._failed = backend, refuse, failed
        self._first_pause, self._troubled = first_pause, troubled
        self._rows: dict[tuple[str, str], Row] = {}
        self._bytes = self._failures = 0
        self._hurry = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def put(self, record: Record) -> bool:
        """Takes a call; False if too many wait."""
        call: Any = record.body[0]
        with self._changed:
            if self._bytes + call.weight() > LIMIT_BYTES:
                return False
            self._bytes += call.weight()
            row = self._rows.setdefault((record.run_id, call.path), Row(time.monotonic()))
            row.records.append(record)
            self._changed.notify_all()
        self._start()
        return True

    def waiting(self) -> int:
        """How many files are not sent yet."""
        with self._changed:
            return sum(len(row.records) for row in self._rows.values())

    def hurry(self, deadline: float) -> None:
        """Until the deadline what failed is tried again soon."""
        with self._changed:
            self._hurry = max(self._hurry, deadline)
            soon = time.monotonic() + _HURRIED_PAUSE
            for row in self._rows.values():
                row.due = min(row.due, soon)
            self._changed.notify_all()

    def wait(self, deadline: float, *, everything: bool, patient: bool = True) -> bool:
        """Waits for files that are due, or for ``everything``; unless ``patient`` only until one fails. Says whether
        all files have been sent."""
        begin, failures = time.monotonic(), self._failures

        def over() -> bool:
            if not patient and self._failures > failures:
                return True
            return not any(everything or row.due <= begin for row in self._rows.values())

        self._start()
        if self._thread is None:
            while not over() and time.monotonic() < deadline:
                self._step(deadline)
        with self._changed:
            self._changed.wait_for(over, max(0.0, deadline - begin))
            return not self._rows

    def close(self) -> None:
        """Ends the thread after the file that is being sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _start(self) -> None:
        with self._changed:
            if self._thread is not None or self._closed or not self._rows:
                return
            thread = threading.Thread(target=self._run, name="logbuch-files", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter shuts down: wait sends in the caller's thread
                return
            self._thread = thread

    def _run(self) -> None:
        while not self._closed:
            self._step(None)

    def _step(self, deadline: float | None) -> None:
        """Waits for the next file that is due, and tries to send it."""
        with self._changed:
            key, row = min(self._rows.items(), key=lambda item: item[1].due, default=(None, None))
            left = None if row is None else row.due - time.monotonic()
            if left is None or left > 0:
                limit = None if deadline is None else deadline - time.monotonic()
                self._changed.wait(left if limit is None else limit if left is None else max(0.0, min(left, limit)))
                return
        assert row is not None
        assert key is not None
        self._try(key, row)

    def _try(self, key: tuple[str, str], row: Row) -> None:
        record = row.records[0]
        call: Any = record.body[0]
        try:
            call.perform(self._backend)
        except Exception as failure:  # noqa: BLE001  whatever it is, it must not end the thread
            error = own_error(failure)
            if self._may_work_later(error, row):
                self._set_aside(row, error)
                self._failed(record, error)
                return
            self._refuse(record, error)
        else:
            self.sent += 1
            self.trouble, self._failures = None, 0
        call.settled()
        with self._changed:
            row.records.popleft()
            row.tries = 0
            self._bytes -= call.weight()
            if not row.records:
                del self._rows[key]
            self._changed.notify_all()

    def _may_work_later(self, error: LogbuchError, row: Row) -> bool:
        if isinstance(error, Unavailable) or self._troubled():
            return True
        passing = type(error) is LogbuchError or isinstance(error, PermissionDenied)
        return passing and row.tries + 1 < _TRIES

    def _set_aside(self, row: Row, error: LogbuchError) -> None:
        with self._changed:
            now = time.monotonic()
            row.tries += 1
            self._failures += 1
            self.trouble = error
            row.due = now + self._pause(row.tries, now)
            if self._failures >= _OUTAGE:
                pause = self._pause(self._failures - _OUTAGE + 1, now)
                for other in self._rows.values():
                    other.due = max(other.due, now + pause)
            self._changed.notify_all()

    def _pause(self, tries: int, now: float) -> float:
        longest = _HURRIED_PAUSE if now < self._hurry else _LONGEST_PAUSE
        pause: float = min(longest, self._first_pause * 2 ** min(tries - 1, 16))
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  spreads clients, guards nothing
