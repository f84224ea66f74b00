"""How long a backend has been without an answer, and how long it is therefore still worth waiting for."""

from __future__ import annotations

import time
from collections.abc import Callable

STRANGER_SECONDS = 5.0
"""A server that this process has never heard of is not waited for longer, unless the user says so: it is down, not
restarting."""
LEAST_SECONDS = 1.0


class Outage:
    """Of one backend; ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._heard = False

    def asked(self) -> None:
        """Something is being sent: unless it is answered, the outage began here."""
        if self._since is None:
            self._since = self._clock()

    def answered(self) -> None:
        self._since, self._heard = None, True

    def patience(self, timeout: float, stranger: float = STRANGER_SECONDS) -> float:
        """The seconds that an end may still wait of those it is granted: of ``stranger`` for a server never heard of.

        The time already waited in vain counts, be it that of an end before or of the training itself: a server that was
        away for an hour gets one last second.
        """
        if self._since is None:
            return timeout
        longest = timeout if self._heard else min(timeout, stranger)
        return min(timeout, max(longest - (self._clock() - self._since), LEAST_SECONDS))
