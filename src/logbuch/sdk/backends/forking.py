"""What becomes of open SQLite files when a process forks.

SQLite keeps a table of the locks that its process holds on a file. A child that inherits an open connection inherits
that table, and believes that it holds locks which only its parent has: commits are lost. So before a fork every call is
let out and every connection closed; parent and child then open the file anew. A child that was forked while a call
could not be waited for never opens that file.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from logbuch.sdk.backends.gate import Gate

FORK_SECONDS = 5.0
"""How long a fork waits for calls that are under way."""


class Holder(Protocol):
    """Whoever may hold SQLite connections. ``gate`` is passed by every call; ``barred`` says why nothing can be kept in
    this process, whatever comes."""

    database: Path
    gate: Gate
    barred: str | None

    def release(self) -> None:
        """Closes every connection; the next call opens the file again."""


_alive: weakref.WeakSet[Holder] = weakref.WeakSet()
_opening = Gate()
_opened: list[Path] = []
"""Files that are just being opened."""
_forbidden: set[str] = set()
"""Database files that this process must not open."""
_fork = threading.local()


def forbidden(database: Path) -> bool:
    """Whether a file was in use when this process was forked."""
    return _real(database) in _forbidden


@contextlib.contextmanager
def opening(database: Path) -> Iterator[None]:
    """Around the opening of a file: a fork waits for it."""
    with _opening:
        _opened.append(database)
        try:
            yield
        finally:
            _opened.remove(database)


def hold(holder: Holder) -> None:
    """From now on it may hold connections."""
    _alive.add(holder)


def forget(holder: Holder) -> None:
    """It holds none any more."""
    _alive.discard(holder)


def _real(database: Path) -> str:
    return os.path.realpath(database)


def _before_fork() -> None:
    """Closes every SQLite connection of this process, as soon as no call is under way."""
    deadline = time.monotonic() + FORK_SECONDS
    # Until it is known to be closed, a file counts as busy: this may be interrupted, and then the fork goes on.
    _fork.gates, _fork.files, _fork.busy = [_opening], list(_opened), list(_alive)
    if _opening.shut(FORK_SECONDS):
        _fork.files = []
    _fork.busy = list(_alive)
    for holder in list(_fork.busy):
        _fork.gates.append(holder.gate)
        if holder.gate.shut(max(0.0, deadline - time.monotonic())):
            holder.release()
            _fork.busy.remove(holder)


def _after_in_parent() -> None:
    for gate in _fork.gates:
        gate.open()


def _after_in_child() -> None:
    """The parent's backends are of no use here: their threads are gone."""
    global _opening
    _forbidden.update(map(_real, [*_fork.files, *(holder.database for holder in _fork.busy)]))
    for holder in _alive:
        holder.barred = "this store belongs to the process that this one was forked from"
    for holder in _fork.busy:
        _keep_for_ever(holder)
    _alive.clear()
    _opened.clear()
    _opening = Gate()


def _keep_for_ever(holder: Holder) -> None:
    """Collected at the end of this process, inherited connections would clear away a log that others still write."""
    with contextlib.suppress(ImportError):
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(holder))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
