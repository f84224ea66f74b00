"""Folders of a command that are gone when it ends, whichever way it is told to."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def scratch(prefix: str) -> Iterator[str]:
    """A new folder, removed at the end of the block, and by SIGTERM before it ends the process.

    It is removed by the signal's handler itself: an error that a handler raises is lost where it comes amid a callback.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as place:
        if threading.current_thread() is not threading.main_thread():
            yield place
            return

        def leave(number: int, frame: Any) -> None:  # noqa: ARG001
            shutil.rmtree(place, ignore_errors=True)
            signal.signal(number, before)
            signal.raise_signal(number)

        before = signal.signal(signal.SIGTERM, leave)
        try:
            yield place
        finally:
            signal.signal(signal.SIGTERM, before)
