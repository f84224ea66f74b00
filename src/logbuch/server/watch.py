"""The watch over processes that carry on runs: takes their signs of life, and marks or ends the runs of silent ones.

Signs are gathered in memory and written together every few seconds, one row a process, however many runs it has. How
long a process has been silent is measured by this watch alone, from the moment at which it first saw that sign: so
neither clocks that differ or jump, nor a server that was down itself, make a run look lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from logbuch import settings
from logbuch.errors import LogbuchError
from logbuch.store import Store, heartbeats, journals

logger = logging.getLogger("logbuch.server")
LOST_SIGNS, END_SIGNS = 3, 40
"""After so many signs that did not come a run is shown as lost, and ended."""
_PRUNE_SECONDS = 3600.0


class Watch:
    """``seconds`` lie between two signs of a process; ``clock`` is a monotonic one."""

    def __init__(self, store: Store, seconds: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = settings.HEARTBEAT_SECONDS.number() if seconds is None else seconds
        self._store, self._clock = store, clock
        self._signs: dict[str, int] = {}
        self._seen: dict[str, tuple[int, float]] = {}
        """The last sign of each process, and when this watch first saw it."""
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._turned = self._pruned = self._clock()

    def note(self, journal: str) -> None:
        """A process has given a sign of life."""
        with self._lock:
            self._signs[journal] = time.time_ns() // 1_000_000

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="logbuch-watch-runs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the watch; the signs that wait are written."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._attempt(self._write)

    def turn(self) -> None:
        """Writes the signs that came, and looks at who is silent."""
        now = self._clock()
        if now - self._turned > LOST_SIGNS * self.seconds:  # the machine slept: nobody could be heard
            self._seen.clear()
        self._turned = now
        try:
            self._write()
        except LogbuchError:
            self._seen.clear()  # nobody is silent whose sign cannot be written
            raise
        self._look(now)
        if now - self._pruned > _PRUNE_SECONDS:
            self._pruned = now
            self._prune()

    def _prune(self) -> None:
        """Forgets processes and journals of long ago, a portion an hour."""
        self._store.write(heartbeats.prune)
        old = self._store.read(journals.old)
        if old:
            self._store.write(journals.prune, old)

    def _run(self) -> None:
        while not self._end.wait(self.seconds / 3):
            self._attempt(self.turn)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except LogbuchError as error:
            logger.warning("the watch over running trainings goes on later: %s", error.message)
        except Exception:  # the thread must outlive its own mistakes
            logger.exception("the watch over running trainings stumbled")

    def _write(self) -> None:
        with self._lock:
            signs, self._signs = self._signs, {}
        try:
            if signs:
                self._store.write(heartbeats.beat, signs)
        except BaseException:
            with self._lock:
                self._signs = signs | self._signs
            raise

    def _look(self, now: float) -> None:
        found = self._store.read(heartbeats.pulses)
        seen: dict[str, tuple[int, float]] = {}
        lost, ended, hopeful = dict[str, int](), dict[str, int](), False
        for pulse in found:
            known = self._seen.get(pulse.journal)
            since = known[1] if known is not None and known[0] == pulse.time else now
            seen[pulse.journal] = (pulse.time, since)
            if now - since >= LOST_SIGNS * self.seconds:
                lost[pulse.journal] = pulse.time
                hopeful |= pulse.hopeful
            if now - since >= END_SIGNS * self.seconds:
                ended[pulse.journal] = pulse.time
        self._seen = seen
        if hopeful:
            self._store.write(heartbeats.lose, lost)
        if ended:
            self._store.write(heartbeats.end, ended)
