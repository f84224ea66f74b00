"""Work in the background that follows the changes of runs, in a thread of its own.

Each run that changes is looked at a moment later, and then every few seconds for as long as it goes on changing. Where
no run changes nothing is done.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logbuch.errors import LogbuchError
from logbuch.store import Store

logger = logging.getLogger("logbuch.server")
AGE_SHARE = 0.05
IDLE_SECONDS = 10.0
"""How long changes of other processes may go unnoticed while this one commits nothing."""


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds: how long after a change a run is looked at, how long after that at the earliest again, and how long
    lies between two turns.

    A run that goes on for long is looked at less often: after a twentieth of the time for which it has been followed,
    but no later than ``most`` after the last time (None: as often as at first).
    """

    settle: float
    again: float
    turn: float
    most: float | None = None

    def apart(self, age: float) -> float:
        """How long after a look at a run of this age it is looked at again."""
        return self.again if self.most is None else min(max(self.again, age * AGE_SHARE), self.most)


class Follower(ABC):
    """``what`` names the work in the log; ``clock`` is a monotonic one, in seconds."""

    def __init__(self, store: Store, name: str, what: str, pace: Pace, clock: Callable[[], float] = time.monotonic):
        self._store, self._name, self._what, self._pace, self._clock = store, name, what, pace, clock
        self._end, self._changed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._due: dict[int, float] = {}
        """When runs are to be looked at, by inner id."""
        self._last: dict[int, float] = {}
        self._first: dict[int, float] = {}
        """When runs were looked at last, and when they were first seen to change."""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> None:
        """Notes what has changed, and looks at what is due; at others where nothing is."""
        self._note()
        now = self._clock()
        due = [run for run, when in self._due.items() if when <= now]
        for run in due:
            del self._due[run]
            self._last[run] = now
        due = due or list(self._spare())
        try:
            self._look_at(due)
        except BaseException:
            self._due |= dict.fromkeys(due, now + self._pace.again)  # whatever it was, they are not forgotten
            raise

    def _note(self) -> None:
        touched, now = self._news(), self._clock()
        for run in touched:
            again = now if run not in self._last else self._last[run] + self._apart(run, self._last[run])
            self._first.setdefault(run, now)
            self._due.setdefault(run, max(now + self._pace.settle, again))
        for run in self._hurried([run for run in touched if self._due[run] > now + self._pace.again]):
            self._due[run] = now + self._pace.settle
        self._forget(now)

    def _apart(self, run: int, when: float) -> float:
        return self._pace.apart(when - self._first.get(run, when))

    def _forget(self, now: float) -> None:
        """Forgets the runs that have rested for so long that they could be looked at at once."""
        self._last = {run: when for run, when in self._last.items() if now - when < self._apart(run, when)}
        self._first = {run: when for run, when in self._first.items() if run in self._last or run in self._due}

    @abstractmethod
    def _news(self) -> Sequence[int]:
        """The runs that have changed since it was last asked."""

    @abstractmethod
    def _look_at(self, runs: Sequence[int]) -> None:
        """Does the work for these runs."""

    def _hurried(self, runs: Sequence[int]) -> Sequence[int]:  # noqa: ARG002
        """Those of these runs, which are looked at seldom, that are looked at now."""
        return ()

    def _spare(self) -> Sequence[int]:
        """Runs that are looked at where none is due."""
        return ()

    def _next(self) -> float:
        """The time by the clock at which there is something to do though no run is due."""
        return float("inf")

    def _run(self) -> None:
        leave = self._store.follow(self._changed.set)
        while not self._end.wait(self._pace.turn):
            try:
                self.turn()
            except LogbuchError as error:
                logger.warning("%s goes on later: %s", self._what, error.message)
            except Exception:  # the thread must outlive its own mistakes
                logger.exception("%s stumbled", self._what)
            self._changed.wait(self._pause())
            self._changed.clear()
        leave()

    def _pause(self) -> float:
        """How long nothing is to be done unless something changes."""
        now = self._clock()
        return max(0.0, min(self._next(), *self._due.values(), now + IDLE_SECONDS) - now)
