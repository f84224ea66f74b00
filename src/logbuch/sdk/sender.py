"""The thread that carries records from the queue to the backend.

It sends in batches, waits out an outage for as long as the process lives, and never raises into the training. A record
that the backend refuses is set aside, counted and warned about; it blocks nothing behind it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from logbuch.errors import EndpointNotFound, LogbuchError
from logbuch.limits import clip
from logbuch.sdk.backend import Backend, own_error
from logbuch.sdk.culprits import NOT_NOW, CulpritSearch
from logbuch.sdk.lane import FileLane
from logbuch.sdk.parcels import Parcel, pack
from logbuch.sdk.queue import Kind, MemoryOutbox, Outbox, Record

logger = logging.getLogger("logbuch")
READ_LIMIT = 20_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_DOUBTS = 5
_WARNINGS = 100


class Delivery(NamedTuple):
    """What became of the records of this process."""

    waiting: int
    sent: int
    refused: int
    dropped: int
    trouble: str | None
    """Why nothing is sent at the moment; None if all is well."""
    files: int = 0
    """How many of those that wait are files."""


class Files(Enum):
    """Which files a flush waits for."""

    NONE = 0
    DUE = 1  # those that have not just failed
    ALL = 2


class Unsent(NamedTuple):
    """What a process leaves behind."""

    records: int
    files: int


class Sender:
    """Sends the records of one backend. The thread starts with the first record."""

    def __init__(self, backend: Backend, outbox: Outbox | None = None, first_pause: float = _FIRST_PAUSE) -> None:
        self.backend = backend
        self.lost: Counter[str] = Counter()
        """How many records of each run were refused or dropped."""
        self._outbox = outbox if outbox is not None else MemoryOutbox()
        self._first_pause = first_pause
        self._files = FileLane(backend, self._refuse, self._note_file_failure, first_pause)
        self._sent = self._refused = 0
        self._trouble: LogbuchError | None = None
        self._failures = self._doubts = 0
        self._warned: set[str] = set()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._idle = self._closed = False
        self._waited = 0.0

    # -- the training's side -----------------------------------------------------------------------------------------

    def put(self, record: Record) -> None:
        """Takes a record; returns in microseconds."""
        if not self._outbox.append(record):
            self._drop(record)
        if self._idle:
            self._wake.set()
        if self._thread is None:
            self._start()

    def put_file(self, record: Record) -> None:
        """Takes a call about a file: it does not keep its place among the records, and delays none of them."""
        if not self._files.put(record):
            self._outbox.dropped += 1
            self._drop(record)
            record.body[0].settled()

    def flush(self, timeout: float, *, patient: bool = False, files: Files = Files.NONE) -> bool:
        """Waits until all records put so far are sent or refused, then for ``files``. False after ``timeout`` seconds,
        or, unless ``patient``, as soon as an attempt has failed because nobody answers."""
        begin = time.monotonic()
        deadline = begin + timeout
        if files is Files.ALL:
            self._files.hurry(deadline)
        done = self._flush_records(deadline, patient)
        if files is not Files.NONE and (done or patient):
            done &= self._files.wait(deadline, everything=files is Files.ALL, patient=patient)
        if not done:
            self._waited += time.monotonic() - begin
        return done

    def _flush_records(self, deadline: float, patient: bool) -> bool:
        if not len(self._outbox):
            return True
        failures, done = self._failures, threading.Event()
        self.put(Record(Kind.MARK, "", (done.set,)))
        self._hurry.set()
        if self._thread is None:
            self._drive(deadline, done)
        while not done.is_set() and (left := deadline - time.monotonic()) > 0:
            if not patient and (self._failures > failures or self.backend.silent):
                break
            if done.wait(min(left, 0.5 if patient else 0.02)):
                break
            if patient:  # do not sit out a long pause: the server may be back
                self._hurry.set()
        return done.is_set()

    def finish(self, timeout: float) -> Unsent:
        """The last flush of a process; returns what is still unsent. Time that earlier flushes of the same outage have
        waited in vain counts towards ``timeout``."""
        self.flush(max(timeout - self._waited, 1.0), patient=True, files=Files.ALL)
        return Unsent(self._outbox.unsent(), self._files.waiting())

    def lose(self, run_id: str, message: str) -> None:
        """Counts something of a run that could not even be queued."""
        self._refused += 1
        self.lost[run_id] += 1
        self._warn_once(message, message)

    def delivery(self) -> Delivery:
        trouble = self._trouble or self._files.trouble
        files = self._files.waiting()
        return Delivery(
            waiting=len(self._outbox) + files,
            sent=self._sent + self._files.sent,
            refused=self._refused,
            dropped=self._outbox.dropped,
            trouble=str(trouble) if trouble is not None else None,
            files=files,
        )

    def close(self) -> None:
        """Ends the thread, whatever still waits."""
        self._closed = True
        self._wake.set()
        self._hurry.set()
        self._files.close()
        if self._thread is not None:
            self._thread.join(5)

    # -- the thread --------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._closed:
                return
            thread = threading.Thread(target=self._run, name="logbuch-sender", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter shuts down: flush sends in the caller's thread
                return
            self._thread = thread

    def _run(self) -> None:
        while not self._closed:
            self._sleep()
            self._hurry.wait(self._pause())
            self._hurry.clear()
            if not self._closed:
                self._cycle()

    def _drive(self, deadline: float, done: threading.Event) -> None:
        while not done.is_set() and time.monotonic() < deadline:
            self._cycle()
            if self._trouble is not None:
                time.sleep(min(self._pause(), max(0.0, deadline - time.monotonic())))

    def _sleep(self) -> None:
        """Sleeps until there is something to send. Raising the flag before looking is what keeps wake-ups from
        being missed: a record that comes after the look sees the flag."""
        self._idle = True
        if not len(self._outbox) and not self._closed:
            self._wake.wait()
        self._idle = False
        self._wake.clear()

    def _pause(self) -> float:
        if self._trouble is not None:
            longest: float = min(_LONGEST_PAUSE, self._first_pause * 2 ** min(self._failures - 1, 16))
            return longest * random.uniform(0.5, 1.0)  # noqa: S311  spreads clients, guards nothing
        return 0.0 if len(self._outbox) >= READ_LIMIT else self.backend.gather_seconds

    def _cycle(self) -> None:
        """Sends what waits, as far as the backend takes it."""
        before, failed = self._sent, self._failures
        try:
            left = self._send_all(pack(self._outbox.read(READ_LIMIT)))
        except Exception as error:  # noqa: BLE001  the thread must outlive its own mistakes
            self._note_failure(own_error(error))
            return
        self._outbox.keep([record for parcel in left for record in parcel.records])
        if self._failures == failed and (self._sent > before or not left):
            self._note_success()

    def _send_all(self, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
        """Sends parcels in order and returns those that are still to be sent."""
        at = 0
        while at < len(parcels):
            end = at
            while end < len(parcels) and parcels[end].batch is not None:
                end += 1
            kept = self._send_batches(parcels[at:end]) if end > at else self._do(parcels[at])
            at = max(end, at + 1)
            if kept:
                return [*kept, *parcels[at:]]
        return ()

    def _send_batches(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        verdicts = self._verdicts(parcels)
        kept: list[Parcel] = []
        for parcel, verdict in zip(parcels, verdicts, strict=True):
            if verdict is None:
                self._sent += len(parcel.records)
            elif self._not_now(verdict):
                kept.append(parcel)
            else:
                kept += self._search_culprits(parcel, verdict)
        if kept:
            self._note_failure(next(verdict for verdict in verdicts if verdict is not None))
        return kept

    def _verdicts(self, parcels: Sequence[Parcel]) -> list[LogbuchError | None]:
        try:
            return self.backend.log_batches([parcel.batch for parcel in parcels if parcel.batch is not None])
        except Exception as error:  # noqa: BLE001  whatever it is, it must not end the thread
            return [own_error(error)] * len(parcels)

    def _do(self, parcel: Parcel) -> list[Parcel]:
        (record,) = parcel.records
        action: Any = record.body[0]
        if record.kind is Kind.MARK:
            action()
            return []
        try:
            action.perform(self.backend)
            self._sent += 1
        except Exception as failure:  # noqa: BLE001  whatever it is, it must not end the thread
            error = own_error(failure)
            if self._not_now(error) and not isinstance(error, EndpointNotFound):
                self._note_failure(error)
                return [parcel]
            self._refuse(record, error)
        action.settled()
        return []

    # -- verdicts ----------------------------------------------------------------------------------------------------

    def _not_now(self, error: LogbuchError) -> bool:
        """Whether the same call may work later. An internal error may be the server's trouble or the record's fault:
        after some attempts it is looked into."""
        if isinstance(error, NOT_NOW):
            return True
        if type(error) is LogbuchError:
            self._doubts += 1
            return self._doubts <= _DOUBTS
        return False

    def _search_culprits(self, parcel: Parcel, error: LogbuchError) -> list[Parcel]:
        """Sends a refused parcel again in parts, refuses what is to blame, and returns what must wait."""
        search = CulpritSearch(lambda part: self._verdicts([part])[0])
        search.run(parcel, error)
        self._sent += search.sent
        for record, reason in search.blamed:
            self._refuse(record, reason)
        return pack(search.waiting)

    def _refuse(self, record: Record, error: LogbuchError) -> None:
        self._refused += 1
        self.lost[record.run_id] += 1
        subject = record.body[0]
        what = subject.describe() if record.kind is Kind.CALL else f"{record.kind.name.lower()} {subject!r}"
        self._warn_once(f"{type(error).__name__} {what}", f"{what} of run {record.run_id} was refused: {error}")

    def _note_failure(self, error: LogbuchError) -> None:
        if self._trouble is None:
            logger.warning("records cannot be sent now and are kept until they can: %s", clip(str(error), 300))
        self._failures += 1
        self._trouble = error

    def _note_success(self) -> None:
        if self._trouble is not None:
            logger.warning("records are sent again to %s", self.backend.uri)
        self._trouble, self._failures, self._doubts, self._waited = None, 0, 0, 0.0

    def _note_file_failure(self, record: Record, error: LogbuchError) -> None:
        what = record.body[0].describe()
        self._warn_once("files", f"{what} cannot be sent now and is kept until it can, as are others: {error}")

    def _drop(self, record: Record) -> None:
        if record.kind is not Kind.MARK:
            self.lost[record.run_id] += 1
            self._warn_once("full", f"{self._outbox.why_full}: new records are dropped, and counted")

    def _warn_once(self, topic: str, message: str) -> None:
        if topic not in self._warned and len(self._warned) < _WARNINGS:
            self._warned.add(topic)
            logger.warning("%s", message)
