"""The folder, for as long as a process lives, of the file that tells its workers which run it carries on.

It lies among the temporary files and is locked, which keeps others from tidying it away; a process that was killed
leaves it unlocked, and the next one that makes such a folder takes it away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

_PREFIX = "logbuch-run-"
_YOUNG_SECONDS = 60.0
"""So young it may be that of a process which is just about to lock it."""
_lock: int | None = None
_tidied = False


def make() -> Path:
    """A new one, for this process alone; OSError if there is no room. The one before is no longer locked, so where a
    disk is full and one after the other stays empty, the next process takes them away."""
    global _tidied
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _keep(folder)
    if not _tidied:
        _tidied = True
        tidy()
    return folder


def clear(owner: int, folder: Path) -> None:
    """Takes it away, in the process that has made it and in none that was forked from that."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def tidy() -> None:
    """Takes away what killed processes of this user have left."""
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as found:
        for name in [entry.path for entry in found if entry.name.startswith(_PREFIX)]:
            with contextlib.suppress(OSError):
                _tidy(Path(name))


def _keep(folder: Path) -> None:
    global _lock
    if _lock is not None:
        os.close(_lock)
        _lock = None
    with contextlib.suppress(OSError, ImportError):
        _lock = _locked(folder)


def _tidy(folder: Path) -> None:
    try:
        handle = _locked(folder)
    except ImportError:  # Windows: nobody knows whose process lives
        return
    if handle is None:
        return
    try:
        found = os.fstat(handle)
        if found.st_uid == os.getuid() and time.time() - found.st_mtime > _YOUNG_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _locked(folder: Path) -> int | None:
    """The folder, opened and locked; None if another process has it. OSError for what is no folder."""
    import fcntl

    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        raise
    return handle
