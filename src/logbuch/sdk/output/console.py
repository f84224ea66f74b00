"""Console output as a log of the run: what Python's stdout and stderr are given is written down beside.

The streams stay what they are: their ``write`` is wrapped, so whoever holds one already, such as a log handler, is
heard too. A line that is done is in the journal before ``write`` returns; the state of one that is still being drawn
follows once a second. Nothing here raises into the program, and what is written while a line is being noted, such as
a warning of Logbuch's own, is not noted amid it.

Locks: who prints may hold any lock, such as that of a log handler, so nothing that holds the recorder's may wait for
one of those. Warnings of Logbuch's own wait until it is free, and no thread waits for it longer than a second.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from logbuch import limits, settings
from logbuch.sdk.output.screen import Screen
from logbuch.sdk.recording.redaction import HIDDEN, Redactor

logger = logging.getLogger("logbuch")
STREAMS = ("stdout", "stderr")
OPEN_SECONDS = 1.0
"""How often the state of an unfinished line is noted."""
LINES_PER_SECOND, LINES_AT_ONCE = 1000, 20_000
"""What is noted for long, and of a burst; more is left out and counted."""
BYTES_PER_LINE = 1000
"""A longer line counts as several."""
OFF, WRAP, AUTO = "off", "wrap", "auto"
_AT_ONCE = 5000
_LATE = 1000
"""So many pieces wait while another is being noted."""
_WAIT_SECONDS = 1.0


class Log(Protocol):
    """Where lines go: to the run's writer."""

    def log(self, stream: str, times: Sequence[int], texts: Sequence[str], open_line: str, dropped: int) -> None: ...


@dataclass(slots=True)
class Allowance:
    """How many lines may still be noted; it grows with time."""

    per_second: float = LINES_PER_SECOND
    most: float = LINES_AT_ONCE
    clock: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _seen: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._seen = self.most, self.clock()

    def take(self, texts: Sequence[str]) -> int:
        """How many of these lines there is room for."""
        now = self.clock()
        self._left = min(self.most, self._left + (now - self._seen) * self.per_second)
        self._seen = now
        for count, text in enumerate(texts):
            cost = 1 + len(text) // BYTES_PER_LINE
            if self._left < cost:
                return count
            self._left -= cost
        return len(texts)


class _HeldBack(threading.local):
    """What Logbuch wants to warn of while this thread notes a line."""

    noting = False
    records: list[logging.LogRecord] | None = None


_held_back = _HeldBack()


def _hold_back(record: logging.LogRecord) -> bool:
    """A filter of Logbuch's logger: handlers take locks, which somebody may hold who prints."""
    if not _held_back.noting:
        return True
    _held_back.records = [*(_held_back.records or ()), record]
    return False


def _speak_up() -> None:
    """Says what was held back; to be called without the recorder's lock."""
    records, _held_back.records = _held_back.records, None
    for record in records or ():
        logger.handle(record)


logger.addFilter(_hold_back)


class _Stream:
    """One stream on its way to a log."""

    def __init__(self, name: str, log: Log, redactor: Redactor, allowance: Allowance) -> None:
        self._name, self._log, self._redactor, self._allowance = name, log, redactor, allowance
        self._screen = Screen()
        self._shown = ""
        self._dropped = 0

    def feed(self, text: str) -> None:
        self._note(self._screen.feed(text))

    def flush(self) -> None:
        """Notes the state of the unfinished line, if it has changed."""
        state = self._open()
        if state != self._shown:
            self._shown = state
            self._log.log(self._name, (), (), state, 0)

    def miss(self, text: str) -> None:
        """Counts lines that could not be taken."""
        self._dropped += text.count("\n")

    def close(self) -> None:
        self._note(self._screen.close())
        if self._dropped:
            self._put([_now()], [self._missing()])
        self.flush()

    def _note(self, done: Sequence[tuple[int, str]]) -> None:
        if not done:
            return
        texts = [self._redactor.line(text)[: limits.LOG_LINE_LENGTH] for _, text in done]
        room = self._allowance.take(texts)
        if room and self._dropped:
            self._put([done[0][0]], [self._missing()])
        for begin in range(0, room, _AT_ONCE):
            end = min(room, begin + _AT_ONCE)
            self._put([time_ for time_, _ in done[begin:end]], texts[begin:end])
        self._dropped += len(done) - room

    def _put(self, times: Sequence[int], texts: Sequence[str]) -> None:
        dropped, self._dropped = self._dropped, 0
        self._shown = self._open() if self._shown else ""  # what was noted as open has most likely ended
        self._log.log(self._name, times, texts, self._shown, dropped)

    def _missing(self) -> str:
        return f"[logbuch: {self._dropped} lines left out here: more than {LINES_PER_SECOND} a second for long]"

    def _open(self) -> str:
        state = self._screen.open()
        if not state or self._redactor.hiding:
            return HIDDEN if state else ""
        return self._redactor.text(state)[: limits.LOG_LINE_LENGTH]


class Recorder:
    """Notes console output of one run. It may be fed from any thread, and from whatever source."""

    def __init__(self, log: Log, *, redactor: Redactor | None = None, allowance: Allowance | None = None) -> None:
        self._streams = {name: _Stream(name, log, redactor or Redactor(), allowance or Allowance()) for name in STREAMS}
        self._lock = threading.RLock()
        self._busy = self._failed = False
        self._late: deque[tuple[str, str]] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logbuch-console", daemon=True)
        with contextlib.suppress(RuntimeError):  # the interpreter shuts down
            self._thread.start()

    def feed(self, stream: str, text: str) -> None:
        """Takes text that was written to ``stdout`` or ``stderr``, in pieces of any size. Never raises."""
        if not self._lock.acquire(timeout=_WAIT_SECONDS):  # whoever notes a line waits for something of ours
            self._put_off(stream, text)
            return
        try:
            if self._busy:  # within a call of this thread: a warning of ours, or a signal handler
                self._put_off(stream, text)
                return
            self._attempt(lambda: self._take(stream, text))
        finally:
            self._lock.release()
        _speak_up()

    def flush(self) -> None:
        """Notes the state of unfinished lines."""
        self._alone(self._flush)

    def close(self) -> None:
        """Ends the log: what has no end yet counts as done."""
        self._stop.set()
        self._alone(self._close)

    def _alone(self, work: Callable[[], object]) -> None:
        with self._lock:
            if self._busy:
                return
            self._attempt(work)
        _speak_up()

    def _put_off(self, stream: str, text: str) -> None:
        if len(self._late) < _LATE:
            self._late.append((stream, text))
        else:
            self._streams[stream].miss(text)

    def _flush(self) -> None:
        self._catch_up()
        for stream in self._streams.values():
            stream.flush()

    def _close(self) -> None:
        self._catch_up()
        for stream in self._streams.values():
            stream.close()

    def _take(self, stream: str, text: str) -> None:
        self._streams[stream].feed(text)
        if self._late:
            self._catch_up()

    def _catch_up(self) -> None:
        while self._late:
            stream, text = self._late.popleft()
            self._streams[stream].feed(text)

    def _attempt(self, work: Callable[[], object]) -> None:
        self._busy = _held_back.noting = True
        try:
            work()
        except Exception:
            if not self._failed:
                self._failed = True
                logger.warning("console output could not be recorded", exc_info=True)
        finally:
            self._busy = _held_back.noting = False

    def _run(self) -> None:
        while not self._stop.wait(OPEN_SECONDS):
            self.flush()


def _now() -> int:
    return time.time_ns() // 1_000_000


# -- Python's streams --------------------------------------------------------------------------------------------------

Find = Callable[[], Recorder | None]


class _Wrapped:
    """A stream whose ``write`` also feeds the recorder of the moment."""

    def __init__(self, name: str, stream: Any, find: Find) -> None:
        self.name, self.stream, self._find = name, stream, find
        self._own = "write" in getattr(stream, "__dict__", {})
        self._write = stream.write
        stream.write = self.write

    def write(self, text: Any) -> Any:
        written = self._write(text)
        recorder = self._find()
        if recorder is not None and isinstance(text, str):
            recorder.feed(self.name, text)
        return written

    def restore(self) -> bool:
        """Puts the stream's own ``write`` back; False if somebody else has wrapped it since."""
        if getattr(self.stream, "__dict__", {}).get("write") != self.write:
            return False
        if self._own:
            self.stream.write = self._write
        else:
            del self.stream.write
        return True


_wrapped: list[_Wrapped] = []
_lock = threading.Lock()
_forked = False


def wrap(find: Find) -> None:
    """Wraps the program's streams, as they are now; those that are wrapped already stay so."""
    with _lock:
        for name in STREAMS:
            stream = getattr(sys, name, None)
            if stream is not None and all(one.stream is not stream for one in _wrapped):
                with contextlib.suppress(AttributeError, TypeError):  # a stream that takes no attributes
                    _wrapped.append(_Wrapped(name, stream, find))


def unwrap() -> None:
    """Gives the streams back as they were. One that somebody else has wrapped since stays, and feeds nobody."""
    with _lock:
        _wrapped[:] = [one for one in _wrapped if not one.restore()]


def _after_fork() -> None:
    """The streams stay wrapped in a forked child; another thread of the parent may have held the lock."""
    global _lock, _forked
    _lock, _forked = threading.Lock(), True
    _held_back.noting, _held_back.records = False, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# -- which runs --------------------------------------------------------------------------------------------------------


def mode() -> str:
    """What the setting says: ``off``, ``wrap`` or ``auto``; anything else counts as ``auto``."""
    found = (settings.CONSOLE.get() or AUTO).lower()
    return {"0": OFF, "false": OFF, "no": OFF, "none": OFF, "1": WRAP, "true": WRAP, "yes": WRAP, "on": WRAP}.get(
        found, found if found in (OFF, WRAP) else AUTO
    )


def source(*, joined: bool = False) -> str:
    """The name of this process among those of one run: its rank, and if it has ``joined`` a run that another process
    has begun, what multiprocessing calls it; "" for a single one."""
    names = [_rank(), _worker() if joined else ""]
    return " ".join(filter(None, names))[: limits.LOG_SOURCE_LENGTH]


def _rank() -> str:
    rank = os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or ""
    several = os.environ.get("WORLD_SIZE") or os.environ.get("SLURM_NTASKS") or "1"
    return f"rank{rank}" if rank.isdigit() and several != "1" else ""


def _worker() -> str:
    processes: Any = sys.modules.get("multiprocessing.process")
    if processes is None or processes.parent_process() is None:
        return f"pid {os.getpid()}" if _forked else ""
    name = str(processes.current_process().name)
    return name if name.isprintable() else f"pid {os.getpid()}"
