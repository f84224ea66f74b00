"""What of a process's records was refused or dropped: counted by run, and told on the run while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

_PAUSE_SECONDS, _LONGEST_PAUSE = 5.0, 300.0
_TELLINGS = 100
"""More often a process does not tell it before the end: where records are dropped room is scarce."""


class Losses:
    """Counts by run. ``tell`` is given a run and its count; it is called seldomer the longer the trouble lasts."""

    def __init__(self, tell: Callable[[str, int], None]) -> None:
        self._tell = tell
        self._counts: Counter[str] = Counter()
        self._told: dict[str, int] = {}
        self._tellings = 0
        self._next = 0.0

    def add(self, run_id: str, count: int = 1) -> None:
        self._counts[run_id] += count

    def of(self, run_id: str) -> int:
        """How many records of a run were lost so far."""
        return self._counts[run_id]

    def look(self, now: float) -> None:
        """Tells what is new, if it is time (monotonic seconds)."""
        if not self._counts or now < self._next or self._tellings >= _TELLINGS:
            return
        new = {run_id: count for run_id, count in list(self._counts.items()) if run_id and count != self.told(run_id)}
        for run_id, count in new.items():
            self._told[run_id] = count
            self._tell(run_id, count)
        if new:
            self._tellings += len(new)
            self._next = now + min(_PAUSE_SECONDS * self._tellings, _LONGEST_PAUSE)

    def told(self, run_id: str) -> int:
        """How many the run itself says."""
        return self._told.get(run_id, 0)
