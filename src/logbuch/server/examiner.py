"""The examiner: judges the stability of runs as they change, in the background and at a bounded cost.

A run that goes on is judged every few seconds, a long one less often, one that has ended a few seconds after. After
each judgement the examiner rests until the server has done many times as much work of its own
(:mod:`logbuch.server.budget`): where many runs train at once, each is judged less often. Runs are judged many at a
time, short ones more than others, and a run with many points in the log once they are sealed, when it costs a tenth.
Runs that changed while no server was there come last, the newest first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from logbuch.server.budget import Budget
from logbuch.server.following import Follower, Pace
from logbuch.store import Store, changes, verdicts
from logbuch.store.examining import Examined

SETTLE_SECONDS, AGAIN_SECONDS, MOST_SECONDS = 2.0, 10.0, 120.0
"""How long after a change a run is judged, how long after it was judged it is at the earliest judged again, and a run
that has gone on for long at the latest."""
SEALED_SECONDS, WAIT_SECONDS = 8.0, 30.0
"""How long after its last point a run's log is sealed on a server that is not busy, and how long after its first change
that is waited for at most."""
_TURN_SECONDS = 1.0
_PAGE, _TOGETHER, _LONG_TOGETHER = 200, 50, 10


class Examiner(Follower):
    """``clock`` is a monotonic one, in seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        pace = Pace(SETTLE_SECONDS, AGAIN_SECONDS, _TURN_SECONDS, MOST_SECONDS)
        super().__init__(store, "logbuch-examiner", "judging runs", pace, clock)
        self._cursor: int | None = None
        self._past: int | None = None
        self._past_left = True
        self._changes: dict[int, tuple[float, float]] = {}
        """When runs have changed for the first and for the last time since they were judged."""
        self._budget = Budget(self._end)

    def _news(self) -> Sequence[int]:
        if self._cursor is None:
            self._cursor = self._store.read(changes.cursor)
            return ()
        touched, self._cursor = self._store.read(changes.since, self._cursor)
        now = self._clock()
        for run in touched:
            self._changes[run] = (self._changes.get(run, (now, now))[0], now)
        return touched

    def _hurried(self, runs: Sequence[int]) -> Sequence[int]:
        """Those that have ended."""
        return self._store.read(verdicts.ended, runs) if runs else ()

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
        wanted = self._store.read(verdicts.unexamined, self._ripe(runs)) if runs else []
        for start in range(0, len(wanted), _TOGETHER):
            part = wanted[start : start + _TOGETHER]
            done = self._examined(verdicts.renew_short, part)
            long = [run_id for run_id in part if run_id not in done]
            for first in range(0, len(long), _LONG_TOGETHER):
                self._examined(verdicts.renew, long[first : first + _LONG_TOGETHER])

    def _ripe(self, runs: Sequence[int]) -> Sequence[int]:
        """Those of these runs that are judged now; the others are once their logs are sealed."""
        now, changed = self._clock(), {run: self._changes.pop(run) for run in runs if run in self._changes}
        recent = [run for run, (first, _) in changed.items() if now - first < WAIT_SECONDS]
        waiting = set(self._store.read(verdicts.long_logs, recent) if recent else ())
        for run in waiting:
            first, last = self._changes[run] = changed[run]
            self._due[run] = min(max(last + SEALED_SECONDS, now + SETTLE_SECONDS), first + WAIT_SECONDS)
        return [run for run in runs if run not in waiting]

    def _examined(self, judge: Callable[..., list[Examined]], run_ids: Sequence[str]) -> set[str]:
        """Keeps the verdicts on those of these runs that are judged, and rests."""
        if self._end.is_set():
            return set()
        begin = time.thread_time()
        found: list[Examined] = self._store.read(judge, run_ids)
        if found:
            self._store.write(verdicts.keep, found)
        self._budget.rest(time.thread_time() - begin)
        return {one.run_id for one in found}
