"""The examiner: judges the stability of runs as they change, in the background and at a bounded cost.

A run that goes on is judged every few seconds, one that has ended a few seconds after. After each judgement the
examiner rests until the server has done many times as much work of its own (:mod:`logbuch.server.budget`): where many
runs train at once, each is judged less often. Runs that changed while no server was there come last, the newest first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from logbuch.errors import NotFound
from logbuch.server.budget import Budget
from logbuch.server.following import Follower, Pace
from logbuch.store import Store, changes, verdicts
from logbuch.store.verdicts import Examined

SETTLE_SECONDS, AGAIN_SECONDS = 2.0, 10.0
"""How long after a change a run is judged, and how long after it was judged it is at the earliest judged again."""
_TURN_SECONDS = 1.0
_PAGE = 200


class Examiner(Follower):
    """``clock`` is a monotonic one, in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        pace = Pace(SETTLE_SECONDS, AGAIN_SECONDS, _TURN_SECONDS)
        super().__init__(store, "logbuch-examiner", "judging runs", pace, clock)
        self._cursor: int | None = None
        self._past: int | None = None
        self._past_left = True
        self._budget = Budget(self._end)

    def _news(self) -> Sequence[int]:
        if self._cursor is None:
            self._cursor = self._store.read(changes.cursor)
            return ()
        touched, self._cursor = self._store.read(changes.since, self._cursor)
        return touched

    def _spare(self) -> Sequence[int]:
        """Runs of the past, a page at a time."""
        if self._due or not self._past_left:
            return ()
        runs, self._past = self._store.read(verdicts.before, self._past, _PAGE)
        self._past_left = self._past is not None
        return runs

    def _next(self) -> float:
        return self._clock() if self._past_left and not self._due else float("inf")

    def _look_at(self, runs: Sequence[int]) -> None:
        for run_id in self._store.read(verdicts.unexamined, runs) if runs else ():
            if self._end.is_set():
                return
            self._examine(run_id)

    def _examine(self, run_id: str) -> None:
        begin = time.thread_time()
        try:
            found: Examined = self._store.read(verdicts.examine, run_id)
            self._store.write(verdicts.keep, [found])
        except NotFound:
            return  # erased meanwhile
        self._budget.rest(time.thread_time() - begin)
