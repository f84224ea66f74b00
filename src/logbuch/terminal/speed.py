"""How fast a run goes, by the steps that it was seen at."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 120.0
"""Speed is that of about the last two minutes."""


class Speed:
    """Steps per second of one run; :meth:`see` it again and again."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, time: float, step: int) -> None:
        """Notes that a run stands at a step at a time (seconds). A step that goes back begins anew: it was resumed."""
        if self._seen and step < self._seen[-1][1]:
            self._seen.clear()
        if not self._seen or step > self._seen[-1][1]:
            self._seen.append((time, step))
        while len(self._seen) > 2 and self._seen[-1][0] - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()

    def at(self, time: float) -> float | None:
        """Steps per second, None before a second step was seen. It sinks while a step is late."""
        if len(self._seen) < 2:
            return None
        (begun, first), (changed, last) = self._seen[0], self._seen[-1]
        usual = (changed - begun) / (len(self._seen) - 1)
        until = max(changed, time - usual)
        return (last - first) / (until - begun) if until > begun else None
