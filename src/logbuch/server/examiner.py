"""The examiner: judges the stability of runs as they change, in the background and at a bounded cost.

A run that goes on is judged every few seconds, one that has ended a few seconds after. After each judgement the
examiner rests for many times as long as that took, so that it never takes more than a small share of one core: where
many runs train at once, each is judged less often. Runs that changed while no server was there come last, the newest
first.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from logbuch.errors import LogbuchError, NotFound
from logbuch.store import Store, changes, verdicts
from logbuch.store.verdicts import Examined

logger = logging.getLogger("logbuch.server")
SHARE = 0.05
"""Of one core, at most."""
SETTLE_SECONDS, AGAIN_SECONDS = 2.0, 10.0
"""How long after a change a run is judged, and how long after it was judged it is at the earliest judged again."""
_TURN_SECONDS, _IDLE_SECONDS = 1.0, 10.0
"""Between two turns; and how long changes of other processes may go unnoticed while this one commits nothing."""
_PAGE = 200


class Examiner:
    """``clock`` is a monotonic one, in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._end, self._changed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._cursor: int | None = None
        self._due: dict[int, float] = {}
        """When runs are to be judged, by inner id."""
        self._last: dict[int, float] = {}
        self._past: int | None = None
        self._past_left = True

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="logbuch-examiner", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> None:
        """Notes what has changed and judges what is due; runs of the past where nothing else is."""
        self._note()
        now = self._clock()
        due = [run for run, when in self._due.items() if when <= now]
        for run in due:
            del self._due[run]
            self._last[run] = now
        following = self._past
        back = not due and not self._due and self._past_left
        if back:
            due, following = self._store.read(verdicts.before, self._past, _PAGE)
        try:
            self._judge(due)
        except BaseException:
            self._due |= dict.fromkeys(due, now + AGAIN_SECONDS)  # whatever it was, they are not forgotten
            raise
        finally:
            if back:
                self._past, self._past_left = following, following is not None

    def _judge(self, runs: Sequence[int]) -> None:
        for run_id in self._store.read(verdicts.unexamined, runs) if runs else ():
            if self._end.is_set():
                return
            self._examine(run_id)

    def _note(self) -> None:
        if self._cursor is None:
            self._cursor = self._store.read(changes.cursor)
            return
        touched, self._cursor = self._store.read(changes.since, self._cursor)
        now = self._clock()
        for run in touched:
            self._due.setdefault(run, max(now + SETTLE_SECONDS, self._last.get(run, -AGAIN_SECONDS) + AGAIN_SECONDS))
        self._last = {run: when for run, when in self._last.items() if now - when < AGAIN_SECONDS}

    def _examine(self, run_id: str) -> None:
        begin = time.thread_time()
        try:
            found: Examined = self._store.read(verdicts.examine, run_id)
            self._store.write(verdicts.keep, [found])
        except NotFound:
            return  # erased meanwhile
        self._end.wait((time.thread_time() - begin) * (1 / SHARE - 1))

    def _run(self) -> None:
        leave = self._store.follow(self._changed.set)
        while not self._end.wait(_TURN_SECONDS):
            try:
                self.turn()
            except LogbuchError as error:
                logger.warning("judging runs goes on later: %s", error.message)
            except Exception:  # the thread must outlive its own mistakes
                logger.exception("judging runs stumbled")
            self._changed.wait(self._pause())
            self._changed.clear()
        leave()

    def _pause(self) -> float:
        """How long nothing is to be done unless something changes."""
        if self._due:
            return max(0.0, min(self._due.values()) - self._clock())
        return 0.0 if self._past_left else _IDLE_SECONDS
