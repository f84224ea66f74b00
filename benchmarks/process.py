"""A tree of processes: its CPU time, its memory, and when it has come to rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

MEGABYTE = 1e6
SAMPLE_SECONDS = 0.25
BUSY_SHARE = 0.05
"""Of a core, above what it uses when idle: a tree that uses more is not at rest."""


@dataclass
class Processes:
    """One or more trees: a server's, and that of the database server that works for it."""

    roots: list[int]
    idle_share: float = 0.0
    """Cores that the trees keep busy with nothing to do."""

    def all(self) -> list[psutil.Process]:
        found = []
        for root in self.roots:
            try:
                parent = psutil.Process(root)
                found += [parent, *parent.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def cpu_seconds(self) -> float:
        """User and system time so far, with that of children that have ended."""
        total = 0.0
        for process in self.all():
            try:
                total += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue
        return total

    def memory_mb(self) -> float:
        """Memory in use; pages that several processes share count once (proportional set size, where it is known)."""
        total = 0
        for process in self.all():
            try:
                full = process.memory_full_info()
                total += getattr(full, "pss", 0) or full.rss
            except psutil.Error:
                continue
        return total / MEGABYTE

    def rest(self, quiet_seconds: float, most_seconds: float = 300) -> None:
        """Returns once the trees have done next to nothing for so long, or have not come to rest at all."""
        deadline = time.monotonic() + most_seconds
        quiet, before = 0.0, self.cpu_seconds()
        while quiet < quiet_seconds and time.monotonic() < deadline:
            time.sleep(0.5)
            now = self.cpu_seconds()
            quiet = quiet + 0.5 if now - before < 0.5 * (self.idle_share + BUSY_SHARE) else 0.0
            before = now

    def learn_idle(self, seconds: float) -> None:
        """Measures what the trees use when idle."""
        before = self.cpu_seconds()
        time.sleep(seconds)
        self.idle_share = (self.cpu_seconds() - before) / seconds

    @contextmanager
    def peak(self) -> Iterator[list[float]]:
        """Samples memory meanwhile; the list holds one number, the most that was seen in MB."""
        most, over = [self.memory_mb()], threading.Event()

        def watch() -> None:
            while not over.wait(SAMPLE_SECONDS):
                most[0] = max(most[0], self.memory_mb())

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield most
        finally:
            over.set()
            thread.join()
