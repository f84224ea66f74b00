"""A bell that wakes one thread; whoever rings takes no lock, so a signal handler may ring amid a ringing."""

from __future__ import annotations

import contextlib
import threading


class Bell:
    """What :class:`threading.Event` is, for one waiting thread. To be set, an event takes a lock in Python code, amid
    which a signal may come whose handler would then wait for its own thread."""

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Wakes who waits, or who waits next. Several rings are one."""
        if self._silence.locked():
            with contextlib.suppress(RuntimeError):  # somebody has rung in between
                self._silence.release()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for a ring, which counts no more then; False if none came in time."""
        return self._silence.acquire(timeout=-1 if seconds is None else max(0.0, seconds))

    def clear(self) -> None:
        """Forgets a ring."""
        self._silence.acquire(blocking=False)
