"""How many alerts a training may raise: each title once a minute, and all together no flood."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

HELD_BACK_TAG = "logbuch.alerts_held_back"
"""Of a run, set at its end: how many alerts were held back because there were too many."""
SAME_SECONDS = 60.0
"""An alert of the same title comes at most so often."""
BURST, REFILL_SECONDS = 20, 30.0
"""So many alerts of a run may come at once, and one more every so many seconds."""
_TITLES, _RUNS = 1000, 1000
"""So many titles of a run, and so many runs are remembered: those that last raised an alert."""


@dataclass(slots=True)
class _Course:
    """The alerts of one run: when each title came last, how many were held back since, and how many may still come."""

    last: dict[str, float]
    held: dict[str, int]
    room: float
    then: float
    all_held: int = 0


class Limiter:
    """Says which alerts are too many. ``clock`` is a monotonic one, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._runs: dict[str, _Course] = {}

    def admit(self, run_id: str, title: str) -> int | None:
        """None for one too many; else how many of this title were held back since the last."""
        with self._lock:
            now = self._clock()
            course = self._course(run_id, now)
            course.room = min(BURST, course.room + (now - course.then) / REFILL_SECONDS)
            course.then = now
            if now - course.last.get(title, -SAME_SECONDS) < SAME_SECONDS or course.room < 1:
                course.all_held += 1
                if len(course.held) < _TITLES or title in course.held:
                    course.held[title] = course.held.get(title, 0) + 1
                return None
            if len(course.last) >= _TITLES:
                course.last.clear()
            course.room -= 1
            course.last[title] = now
            return course.held.pop(title, 0)

    def _course(self, run_id: str, now: float) -> _Course:
        """That of a run, which is now the last to be forgotten."""
        known = self._runs.pop(run_id, None)
        course = self._runs[run_id] = _Course({}, {}, BURST, now) if known is None else known
        if len(self._runs) > _RUNS:
            del self._runs[next(iter(self._runs))]
        return course

    def held_back(self, run_id: str) -> int:
        """How many alerts of a run were held back in all."""
        with self._lock:
            course = self._runs.get(run_id)
            return course.all_held if course is not None else 0

    def renew_lock(self) -> None:
        """In a forked child: another thread of the parent may have held the lock, and will never let go of it there."""
        self._lock = threading.Lock()


limiter = Limiter()
"""Of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=limiter.renew_lock)
