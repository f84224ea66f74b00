"""The trouble of a sender: that nothing can be sent now, since when, and how long to pause before the next attempt."""

from __future__ import annotations

import logging
import random

from logbuch import settings
from logbuch.errors import LogbuchError
from logbuch.limits import clip
from logbuch.sdk.shipping.outage import STRANGER_SECONDS, Outage

logger = logging.getLogger("logbuch")
_LONGEST_PAUSE = 30.0


class Trouble:
    """With one backend, ``uri``. It begins with a warning, and ends with one; ``why`` is None while there is none."""

    def __init__(self, uri: str, first_pause: float) -> None:
        self.why: LogbuchError | None = None
        self.failures = 0
        """How many attempts in a row have failed."""
        self._uri, self._first_pause = uri, first_pause
        self._outage = Outage()

    def asked(self) -> None:
        """Something is being sent."""
        self._outage.asked()

    def failed(self, error: LogbuchError) -> None:
        """It was not taken."""
        if self.why is None:
            logger.warning("records cannot be sent now and are kept until they can: %s", clip(str(error), 300))
        self.failures += 1
        self.why = error

    def answered(self) -> None:
        """It was taken, or refused."""
        if self.why is not None:
            logger.warning("records are sent again to %s", self._uri)
        self.why, self.failures = None, 0
        self._outage.answered()

    def pause(self) -> float:
        """Seconds until the next attempt."""
        longest: float = min(_LONGEST_PAUSE, self._first_pause * 2 ** min(self.failures - 1, 16))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  spreads clients, guards nothing

    def patience(self, timeout: float) -> float:
        """How many of the seconds that an end is granted it may wait: fewer, the longer nobody has answered."""
        return self._outage.patience(timeout, timeout if settings.FINISH_TIMEOUT.chosen else STRANGER_SECONDS)
