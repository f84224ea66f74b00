"""The courier: sends what waits, tries again later what failed, and lets no slow receiver hold up another."""

from __future__ import annotations

import logging
import threading
import time
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
_AT_ONCE = 4
_PRUNE_SECONDS = 3600.0


class Courier:
    """Sends the messages of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._end, self._changed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._pruned = time.monotonic()

    def start(self) -> None:
        self._attempt(self._tell_of_mail)
        self._thread = threading.Thread(target=self._run, name="logbuch-courier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(webhook.CONNECT_SECONDS)  # what is under way is sent again by whoever comes next

    def turn(self) -> int:
        """Sends what is due; how many messages were."""
        due = self._store.read(outbox.next_due)
        if due is None or due > time.time_ns() // 1_000_000:
            return 0
        taken: list[Parcel] = self._store.write(outbox.take, _AT_ONCE)
        # Not a pool, whose threads would hold up the end of the process for a receiver that does not answer.
        senders = [threading.Thread(target=self._send, args=[parcel], daemon=True) for parcel in taken]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        return len(taken)

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
        while not self._end.is_set() and self.turn():
            pass
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
