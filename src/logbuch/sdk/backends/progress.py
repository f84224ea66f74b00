"""Progress bars of transfers: only for people who look, and only of what takes longer than a second."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from logbuch import settings

SHOWN_SECONDS = 1.0


class Bar:
    """The bar of one transfer of ``total`` bytes (None if unknown)."""

    def __init__(self, label: str, total: int | None) -> None:
        self._label, self._total = label, total
        self._done = 0
        self._begun = time.monotonic()
        self._shown: Any = None
        self._task: Any = None
        self._wanted = _watched()

    def advance(self, size: int) -> None:
        """So many bytes more have been moved."""
        self._done += size
        if not self._wanted:
            return
        if self._shown is None and time.monotonic() - self._begun > SHOWN_SECONDS:
            self._show()
        if self._shown is not None:
            self._shown.update(self._task, completed=self._done)

    def reach(self, done: int) -> None:
        """So many bytes have been moved in all."""
        self.advance(done - self._done)

    def close(self) -> None:
        if self._shown is not None:
            self._shown.stop()
            self._shown = None

    def _show(self) -> None:
        with suppress(ImportError):
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

            self._shown = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._shown.add_task(self._label, total=self._total)
            self._shown.start()
        self._wanted = self._shown is not None


def tracked(chunks: Iterable[bytes], bar: Bar) -> Iterator[bytes]:
    """The chunks, with the bar moving as they pass."""
    for chunk in chunks:
        yield chunk
        bar.advance(len(chunk))


def _watched() -> bool:
    """Whether somebody looks: what is sent in the background shows nothing."""
    return (
        threading.current_thread() is threading.main_thread()
        and sys.stderr is not None
        and sys.stderr.isatty()
        and settings.PROGRESS_BARS.flag()
    )
