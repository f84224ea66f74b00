"""The thread that carries a process's journal to the backend.

It sends in batches, waits out an outage for as long as the process lives, and never raises into the training. What the
backend refuses is set aside, counted and warned about; it blocks nothing behind it. A second thread brings the journal
to the disk every second, however long the first one waits for an answer.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from logbuch.errors import BadRequest, EndpointNotFound, InvalidInput, LogbuchError, NotImplementedHere
from logbuch.sdk.backends.backend import Backend, own_error
from logbuch.sdk.journal.course import Course
from logbuch.sdk.journal.journal import Journal
from logbuch.sdk.journal.note import State
from logbuch.sdk.shipping.bell import Bell
from logbuch.sdk.shipping.delivery import Delivery, Files, Unsent
from logbuch.sdk.shipping.lane import FileLane
from logbuch.sdk.shipping.losses import Losses
from logbuch.sdk.shipping.records import Record
from logbuch.sdk.shipping.remarks import Remarks
from logbuch.sdk.shipping.rest import RestShipment
from logbuch.sdk.shipping.shipment import Shipment
from logbuch.sdk.shipping.sweeper import Enough, Sweeper
from logbuch.sdk.shipping.trouble import Trouble
from logbuch.stability.findings import LOST_TAG
from logbuch.wire import ingest

_FIRST_PAUSE = 0.5
_SYNC_SECONDS = 1.0
_WAIT_SECONDS = 600.0
"""For so long after the process began, a run that another machine's process makes is waited for."""
_ASK_SECONDS = 4.0
_UNTOLD = "what was lost could not be told"
_UNSYNCED = "the journal could not be brought to the disk"
NO_JOURNALS = (EndpointNotFound, NotImplementedHere, InvalidInput, BadRequest)
"""How a server answers the handshake that does not know it."""


class Sender:
    """Sends the journal of one backend. The threads start with the first record. ``sweep`` is called now and then, when
    all is well: it sends what other processes have left, until it is told that it is enough. ``others`` says whether
    other journals are not sent yet."""

    def __init__(
        self,
        backend: Backend,
        journal: Journal,
        first_pause: float = _FIRST_PAUSE,
        sweep: Callable[[Enough], None] = lambda _: None,
        others: Callable[[], bool] = lambda: False,
    ) -> None:
        self.backend, self.journal = backend, journal
        self.losses = Losses(self._tell_lost)
        self.idle = True
        """Whether the thread wants to be told of the next record."""
        self.course = Course(journal.parts)
        self.state = State()
        self._others = others
        self._begun, self._taken_at = time.monotonic(), 0.0
        self._shipment: Shipment | RestShipment | None = None
        self._awaited: dict[str, LogbuchError | None] = {}
        self._sent = self._refused = self._given_up = self._done = self._files_dropped = 0
        self.trouble = Trouble(backend.uri, first_pause)
        self._files = FileLane(
            backend, self._refuse_file, self._note_file_failure, first_pause, lambda: self.trouble.why is not None
        )
        self._remarks = Remarks()
        self._sweeper = Sweeper(sweep, self._remarks)
        self._thread: threading.Thread | None = None
        self._lock, self._moved = threading.RLock(), threading.Condition()
        self._sending = threading.Lock()
        self._wake, self._hurry, self._end = Bell(), Bell(), threading.Event()

    # -- the training's side -----------------------------------------------------------------------------------------

    def put(self, record: ingest.Record, run_id: str, *, vital: bool = False, counted: bool = True) -> None:
        """Logs a record that is no point."""
        if not self.journal.record(ingest.encode_record(record), vital=vital, counted=counted) and counted:
            self.drop(run_id)
        if self.idle:
            self.nudge()

    def put_file(self, record: Record) -> None:
        """Takes a call about a file: it does not keep its place among the records, and delays none of them."""
        if not self._files.put(record):
            self._files_dropped += 1
            self.drop(record.run_id)
            record.body[0].settled()

    def nudge(self) -> None:
        """Tells the thread that there is something to send."""
        self._wake.ring()
        if self._thread is None:
            self._start()

    def drop(self, run_id: str) -> None:
        """Something of a run found no place."""
        self.losses.add(run_id)
        self._remarks.once("full", f"{self.journal.why_full}: new records are dropped, and counted")

    def remark(self, message: str) -> None:
        """Warns of something, once."""
        self._remarks.once(message, message)

    def needs(self, run_id: str) -> None:
        """What follows is about a run that another process has begun, perhaps without a server: it must come first."""
        if run_id not in self.state.needs:
            self.state.needs.append(run_id)
            self.journal.settle()
            self._save(self.state)

    def settled(self, run_id: str, seconds: float) -> bool:
        """Waits until what makes or names a run was taken, and raises why it was not. False if nobody answers."""
        done = self.flush(seconds)
        error = self._awaited.pop(run_id, None)
        if error is not None:
            raise error
        return done

    def awaits(self, run_id: str) -> None:
        """What is refused of this run from now on is an error of the call that :meth:`settled` ends."""
        self._awaited[run_id] = None

    def look_around(self) -> None:
        """Starts the thread, though nothing is to be sent yet: it sweeps at once."""
        self._hurry.ring()
        self._sweeper.wanted = True
        self.nudge()

    @property
    def known_as(self) -> str:
        """The ID by which the server knows the journal."""
        return self.state.names(self.journal.id)[-1]

    def knows_journals(self) -> bool:
        """Whether the backend takes journals; yes if nobody answers, for one can tell later."""
        begin = time.monotonic()
        if self._shipment is None and not self.backend.silent and self._sending.acquire(timeout=_ASK_SECONDS):
            try:
                if time.monotonic() - begin < _ASK_SECONDS / 4:  # else the thread has just asked in vain
                    with contextlib.suppress(Exception):  # it will meet it again, and say so
                        self._way()
            finally:
                self._sending.release()
        return not isinstance(self._shipment, RestShipment)

    def flush(
        self, timeout: float, *, patient: bool = False, stall: float | None = None, files: Files = Files.NONE
    ) -> bool:
        """Waits until all records put so far are sent or refused, then for ``files``. False after ``timeout`` seconds,
        or after ``stall`` seconds in which nothing was sent, or, unless ``patient``, as soon as an attempt has failed
        because nobody answers."""
        deadline = time.monotonic() + timeout
        if files is Files.ALL:
            self._files.hurry(deadline)
        done = self._flush_records(deadline, patient, timeout if stall is None else stall)
        if files is not Files.NONE and (done or patient):
            done &= self._files.wait(deadline, everything=files is Files.ALL, patient=patient)
        return done

    def _flush_records(self, deadline: float, patient: bool, stall: float) -> bool:
        self.journal.parts()  # what a signal handler has put aside follows
        target = self.journal.last
        if self._done >= target:
            return True
        failures, done, moved = self.trouble.failures, self._done, time.monotonic()
        self._hurry.ring()
        self.nudge()
        if self._thread is None:
            self._drive(deadline, target)
        while self._done < target and (left := deadline - time.monotonic()) > 0:
            if not patient and (self.trouble.failures > failures or self.backend.silent):
                break
            if self._done > done:
                done, moved = self._done, time.monotonic()
            elif time.monotonic() - moved >= stall:
                break
            with self._moved:
                self._moved.wait_for(lambda: self._done >= target, min(left, 0.5 if patient else 0.02))
            if patient:  # do not sit out a long pause: the server may be back
                self._hurry.ring()
        return self._done >= target

    def finish(self, timeout: float) -> Unsent:
        """The last flush of a process; returns what is still unsent."""
        deadline = time.monotonic() + self.trouble.patience(timeout)
        if self.flush(deadline - time.monotonic(), patient=True, files=Files.ALL):
            self._sweeper.until(deadline)
        return Unsent(self._waiting(), self._files.waiting())

    def lose(self, run_id: str, message: str) -> None:
        """Counts something of a run that could not even be queued."""
        self._given_up += 1
        self.losses.add(run_id)
        self._remarks.once(message, message)

    def delivery(self) -> Delivery:
        trouble = self.trouble.why or self._files.trouble
        files = self._files.waiting()
        return Delivery(
            waiting=self._waiting() + files,
            sent=self._sent + self._files.sent,
            refused=self._refused + self._given_up,
            dropped=self.journal.dropped + self._files_dropped,
            trouble=str(trouble) if trouble is not None else None,
            files=files,
        )

    def close(self) -> None:
        """Ends the threads, whatever still waits; the journal stays unless all of it was sent."""
        self._end.set()
        self._wake.ring()
        self._hurry.ring()
        self._files.close()
        if self._thread is not None:
            self._thread.join(5)
        self.leave()

    def leave(self) -> None:
        """Leaves the journal in order on the disk; takes it away if it is of no more use."""
        self.journal.seal()  # what a thread still logs is counted as dropped, not taken for sent
        complete = self._done >= self.journal.last and not self._files.waiting()
        self.state.complete = complete
        self._save(self.state)
        self.journal.sync()
        empty = not self.journal.last
        self.journal.close(remove=complete and (empty or not self.backend.keeps_acknowledged), retire=complete)

    # -- verdicts ------------------------------------------------------------------------------------------------------

    def taken(self, last: int, count: int) -> None:
        self._sent += count
        self._taken_at = time.monotonic()
        if not self.backend.keeps_acknowledged:
            self.journal.release(self.state)
        self._done = max(self._done, last)
        with self._moved:
            self._moved.notify_all()

    def refused(self, run_id: str | None, count: int, what: str, error: LogbuchError) -> None:
        if run_id in self._awaited:
            self._awaited[run_id] = self._awaited[run_id] or error
            return
        self._refused += count
        self.losses.add(run_id or "", count)
        self._remarks.once(f"{type(error).__name__} {what} {run_id}", f"{what} of run {run_id} was refused: {error}")

    # -- the threads ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._end.is_set():
                return
            thread = threading.Thread(target=self._run, name="logbuch-sender", daemon=True)
            keeper = threading.Thread(target=self._keep, name="logbuch-journal", daemon=True)
            self._thread = thread  # at once: a signal handler that logs must not start another
            try:
                thread.start()
            except RuntimeError:  # the interpreter shuts down: flush sends in the caller's thread
                self._thread = None
                return
            with contextlib.suppress(RuntimeError):
                keeper.start()

    def _keep(self) -> None:
        while not self._end.wait(_SYNC_SECONDS):
            self._remarks.attempt(_UNSYNCED, self.journal.sync)
            self._remarks.attempt(_UNTOLD, lambda: self.losses.look(time.monotonic()))

    def _run(self) -> None:
        while not self._end.is_set():
            self._sleep()
            self._hurry.wait(self._pause())
            self._hurry.clear()
            if not self._end.is_set():
                self._cycle()

    def _drive(self, deadline: float, target: int) -> None:
        while self._done < target and time.monotonic() < deadline:
            self._cycle()
            if self.trouble.why is not None:
                time.sleep(min(self._pause(), max(0.0, deadline - time.monotonic())))

    def _sleep(self) -> None:
        """Sleeps until there is something to send. Raising the flag before looking is what keeps wake-ups from
        being missed: a record that comes after the look sees the flag."""
        self.idle = True
        nothing = self._done >= self.journal.last and self.trouble.why is None and not self._sweeper.wanted
        if nothing and not self._end.is_set():
            self._wake.wait()
        self._sweeper.wanted = False
        self.idle = False
        self._wake.clear()

    def _pause(self) -> float:
        """Each call costs a training a millisecond of its process: who logs all the time is sent half as often."""
        if self.trouble.why is not None:
            return self.trouble.pause()
        gather = self.backend.gather_seconds
        return max(gather, self._taken_at + 2 * gather - time.monotonic())

    def _cycle(self) -> None:
        """Sends what waits, as far as the backend takes it."""
        self.trouble.asked()
        try:
            with self._sending:
                self._send()
        except Exception as error:  # noqa: BLE001  the thread must outlive its own mistakes
            self.trouble.failed(own_error(error))
            return
        self.trouble.answered()
        self._sweeper.look(lambda: self._done < self.journal.last, self._end.is_set)

    def _send(self) -> None:
        self.journal.parts()
        last, shipment = self.journal.whole(), self._way()
        while shipment.step():
            self.trouble.answered()
            self.trouble.asked()
            if self.course.number >= last:  # what came meanwhile is gathered first, or each point would be a request
                last = self.course.number
                break
        # Numbers that an interrupted call has used up have no entry: without this they would be waited for.
        self._done = max(self._done, last)
        with self._moved:
            self._moved.notify_all()

    def _way(self) -> Shipment | RestShipment:
        if self._shipment is None:
            self.journal.settle()  # from its first entry on it is known which store takes it
            native = Shipment(
                self.backend, self.journal.id, self.course, self.state, self._save, self, self._worth_waiting
            )
            try:
                native.greet()
                self._shipment = native
            except NO_JOURNALS:
                self._shipment = RestShipment(self.backend, self.course, self.state, self._save, self)
        return self._shipment

    def _worth_waiting(self) -> bool:
        return time.monotonic() - self._begun < _WAIT_SECONDS or self._others()

    def _save(self, state: State) -> None:
        self.journal.keep(state)

    def _waiting(self) -> int:
        return max(0, self.journal.logged - self._sent - self._refused) if self._done < self.journal.last else 0

    def _tell_lost(self, run_id: str, count: int) -> None:
        record = ingest.Tags(run_id, [(LOST_TAG, str(count))])
        self.journal.record(ingest.encode_record(record), vital=True, counted=False)
        if self.idle:
            self.nudge()

    def _refuse_file(self, record: Record, error: LogbuchError) -> None:
        what = record.body[0].describe()
        self._given_up += 1
        self.losses.add(record.run_id)
        self._remarks.once(f"{type(error).__name__} {what}", f"{what} of run {record.run_id} was refused: {error}")

    def _note_file_failure(self, record: Record, error: LogbuchError) -> None:
        what = record.body[0].describe()
        self._remarks.once("files", f"{what} cannot be sent now and is kept until it can, as are others: {error}")
