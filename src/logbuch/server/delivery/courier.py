"""The courier: sends what waits, tries again later what failed, and lets no slow receiver hold up another.

To each destination one message is under way at a time, so a receiver that is dead takes one slot and no more. One that
did not take a message rests as a whole for a while, whatever else waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from logbuch.errors import LogbuchError
from logbuch.server.delivery import mail, webhook
from logbuch.server.delivery.webhook import SendFailed
from logbuch.store import Store
from logbuch.store.delivery import outbox, webhooks
from logbuch.store.delivery.outbox import Parcel

logger = logging.getLogger("logbuch.server")
_TURN_SECONDS, _IDLE_SECONDS = 0.5, 5.0
"""Between two looks; and how long messages of other processes may wait while this one commits nothing."""
SLOTS = 8
"""So many destinations are sent to at once."""
REST_SECONDS = 300.0
"""A destination that fails rests as long as a message between its attempts, but never longer than this."""
_PRUNE_SECONDS = 3600.0


class Courier:
    """Sends the messages of one store. ``clock`` is a monotonic one, in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._idle = threading.Condition()
        self._busy: set[int] = set()
        """The destinations to which a message is under way."""
        self._failures: Counter[int] = Counter()
        """Of destinations: how often in a row they failed."""
        self._resting: dict[int, float] = {}
        """Destinations that failed, and until when they rest."""
        self._end, self._changed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._pruned = time.monotonic()

    def start(self) -> None:
        """RuntimeError for a courier that was started before: two of its threads would share what is under way."""
        if self._thread is not None:
            raise RuntimeError("the courier was started before")
        self._attempt(self._tell_of_mail)
        self._thread = threading.Thread(target=self._run, name="logbuch-courier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(webhook.CONNECT_SECONDS)
        self._wait(webhook.CONNECT_SECONDS)  # what is still under way then is sent again by whoever comes next

    def turn(self) -> int:
        """Sends what is due, one message a destination, and waits for it; how many messages were sent."""
        started = self._begin()
        self._wait()
        return started

    def _begin(self) -> int:
        """Takes what is due into the free slots; how many messages are under way now that were not before."""
        with self._idle:
            now = self._clock()
            self._resting = {one: until for one, until in self._resting.items() if until > now}
            closed = self._busy | self._resting.keys()
            due = self._store.read(outbox.next_due, closed)
            if due is None or due > time.time_ns() // 1_000_000:
                return 0
            taken: list[Parcel] = self._store.write(outbox.take, SLOTS - len(self._busy), closed)
            self._busy |= {parcel.destination for parcel in taken}
        # Not a pool, whose threads would hold up the end of the process for a receiver that does not answer.
        for parcel in taken:
            threading.Thread(target=self._carry, args=[parcel], daemon=True).start()
        return len(taken)

    def _carry(self, parcel: Parcel) -> None:
        """Sends a message, and takes the next one into the slot."""
        self._send(parcel)
        with self._idle:
            self._busy.discard(parcel.destination)
            self._idle.notify_all()
        if self._thread is not None and not self._end.is_set():
            self._attempt(self._begin)

    def _wait(self, seconds: float | None = None) -> None:
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, seconds)

    def _note(self, destination: int, *, failed: bool) -> None:
        with self._idle:
            if not failed:
                self._failures.pop(destination, None)
                return
            self._failures[destination] += 1
            wait = outbox.WAITS[min(self._failures[destination], len(outbox.WAITS)) - 1]
            self._resting[destination] = self._clock() + min(wait, REST_SECONDS)

    def _send(self, parcel: Parcel) -> None:
        error, again = "", True
        try:
            (webhook if parcel.url else mail).send(parcel)
        except SendFailed as failed:
            error, again = str(failed), failed.again
        except Exception as unforeseen:
            logger.exception("sending message %d stumbled", parcel.id)
            error = f"{type(unforeseen).__name__}: {unforeseen}"
        if error:
            logger.warning("message %d (%s) was not delivered: %s", parcel.id, parcel.event, error)
        # A refusal of one message says nothing of the next; no answer does.
        self._note(parcel.destination, failed=bool(error) and again)
        self._attempt(lambda: self._store.write(outbox.settle, parcel, error, again=again))

    def _tell_of_mail(self) -> None:
        self._store.write(webhooks.mail, mail.level())

    def _run(self) -> None:
        leave = self._store.follow(self._changed.set)
        while not self._end.wait(_TURN_SECONDS):
            self._changed.clear()
            self._attempt(self._work)
            self._changed.wait(_IDLE_SECONDS)
        leave()

    def _work(self) -> None:
        self._begin()
        if time.monotonic() - self._pruned > _PRUNE_SECONDS:
            self._pruned = time.monotonic()
            self._store.write(outbox.prune)

    def _attempt(self, work: Callable[[], object]) -> None:
        try:
            work()
        except LogbuchError as error:
            logger.warning("sending messages goes on later: %s", error.message)
        except Exception:  # the thread must outlive its own mistakes
            logger.exception("sending messages stumbled")
