"""What a thread tells the user of trouble: each topic once a process, in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable

from logbuch.limits import clip
from logbuch.sdk.backends.backend import own_error

logger = logging.getLogger("logbuch")
_TOPICS = 100


class Remarks:
    """Warnings, one a topic."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def once(self, topic: str, message: str) -> None:
        """Says something, if nothing was said of this topic yet."""
        if topic not in self._told and len(self._told) < _TOPICS:
            self._told.add(topic)
            logger.warning("%s", message)

    def attempt(self, trouble: str, work: Callable[[], object]) -> None:
        """Does what may fail without harm to the training; the first time that it does is told."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  whatever it is, it must not end the thread
            self.once(trouble, f"{trouble}: {clip(str(own_error(error)), 300)}")
