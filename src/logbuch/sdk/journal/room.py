"""The limit to what journals take of a disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from logbuch import settings
from logbuch.sdk.journal.folder import REMOVED, SENT, Folder, all_in, disk_bytes

_LOOK_SECONDS = 10.0
_DAY = 86_400.0


class Room:
    """Says whether a journal may take more bytes of the disk. Where the limit is reached, what has been acknowledged
    goes first: journals that are complete, the oldest first, then what ``release`` lets go of the own one."""

    def __init__(self, root: Path, release: Callable[[], None]) -> None:
        self._root, self._release = root, release
        self._limit = settings.JOURNAL_BYTES.number()
        self._used, self._looked = 0, -_LOOK_SECONDS

    def __call__(self, size: int) -> bool:
        now = time.monotonic()
        if now - self._looked > _LOOK_SECONDS or self._used + size > self._limit:
            self._used, self._looked = disk_bytes(self._root), now
        if self._used + size > self._limit:
            self._tidy(size)
        if self._used + size > self._limit:
            return False
        self._used += size
        return True

    def _tidy(self, size: int) -> None:
        for folder in all_in(self._root / SENT):
            if self._used + size <= self._limit:
                return
            taken = disk_bytes(folder.path)
            if remove_if_complete(folder, 0.0):
                self._used -= taken
        self._release()
        self._used = disk_bytes(self._root)


def remove_old(root: Path) -> None:
    """Takes away journals that were acknowledged some days ago, and what is left of removed ones."""
    for path in root.glob(f"*{REMOVED}"):
        shutil.rmtree(path, ignore_errors=True)
    for folder in all_in(root / SENT):
        remove_if_complete(folder, settings.JOURNAL_DAYS.number() * _DAY)


def remove_if_complete(folder: Folder, age: float) -> bool:
    """Takes away a journal of which nothing is left to be sent and nothing was written for ``age`` seconds."""
    if not folder.state().complete or not folder.lock():
        return False
    try:
        written = max((path.stat().st_mtime for path in folder.path.iterdir()), default=0.0)
        if folder.state().complete and time.time() - written >= age:
            folder.remove()
            return True
    except OSError:  # it has just gone
        pass
    finally:
        folder.unlock()
    return False
