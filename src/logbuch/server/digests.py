"""Digests of files on their way to the database: those of a moment share a commit.

A digest is derived from its file, and the mark that is noted with it says whether it still holds: nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from logbuch.store.artifacts import Known

GATHER_SECONDS = 0.25
MOST = 500


class Digests:
    """What is to be noted; ``write`` notes some files."""

    def __init__(self, write: Callable[..., None]) -> None:
        self._write = write
        self._waiting: dict[str, Known] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, known: Known) -> None:
        """From the server's loop."""
        self._waiting[known.key] = known
        if len(self._waiting) >= MOST:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    def forget(self, key: str) -> None:
        """Of a file that is deleted, or of all files of a folder."""
        for gone in [held for held in self._waiting if held == key or held.startswith(f"{key}/")]:
            del self._waiting[gone]

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting = self.take()
        if waiting:
            self._write(*waiting)

    def take(self) -> list[Known]:
        """What waits, which then is another's to note."""
        waiting, self._waiting = list(self._waiting.values()), {}
        return waiting
