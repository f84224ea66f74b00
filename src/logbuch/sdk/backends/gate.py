"""A gate that calls pass through together, and that a fork closes until none is inside."""

from __future__ import annotations

import threading
from types import TracebackType


class Gate:
    """A context manager around each call; :meth:`shut` waits for those inside and keeps new ones out."""

    def __init__(self) -> None:
        self._inside = self._shut = 0
        self._changed = threading.Condition(threading.Lock())

    def __enter__(self) -> None:
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def shut(self, seconds: float) -> bool:
        """Lets nobody in any more; says whether, within so many seconds, nobody is inside. :meth:`open` must follow."""
        with self._changed:
            self._shut += 1
            return self._changed.wait_for(lambda: not self._inside, seconds)

    def open(self) -> None:
        """Takes one :meth:`shut` back."""
        with self._changed:
            self._shut = max(0, self._shut - 1)
            self._changed.notify_all()
