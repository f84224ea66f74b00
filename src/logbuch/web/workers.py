"""Several server processes on one socket: started, replaced when one dies, and ended together."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from logbuch.errors import LogbuchError, StoreRefused

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
SETTLED_SECONDS = 60.0
"""A worker that has served this long is healthy: the pause before its replacement starts small again."""

_ENDING = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class _Place:
    """One worker's place: its process, since when it runs, and the pause before the next."""

    process: Any
    since: float
    pause: float = FIRST_PAUSE


def supervise(work: Callable[[], int], count: int) -> int:
    """Runs ``work`` in so many processes until SIGINT or SIGTERM."""
    fork = multiprocessing.get_context("fork")
    stopping = threading.Event()
    # The workers hold the reading end: when the supervisor is gone, however it went, they see the end of the pipe.
    watched, kept = os.pipe()

    def start() -> Any:
        process = fork.Process(target=_work, args=(work, watched, kept), name="logbuch-worker")
        process.start()
        return process

    places: list[_Place] = []

    def stop(signum: int, frame: Any) -> None:  # noqa: ARG001
        stopping.set()
        for place in places:
            place.process.terminate()

    with _held():
        for number in _ENDING:
            signal.signal(number, stop)
        places += [_Place(start(), time.monotonic()) for _ in range(count)]
    while not stopping.is_set():
        multiprocessing.connection.wait([place.process.sentinel for place in places])
        for place in places:
            if not stopping.is_set() and not place.process.is_alive():
                _replace(place, start, stopping)
    for place in places:
        place.process.join()
    return 0


def apart(work: Callable[[], object]) -> None:
    """Does something in a process that ends at once, and raises what it refuses as StoreRefused.

    Libraries with threads of their own, such as an object store's, must not be used before workers are forked: a child
    has none of these threads, and would wait for them for ever.
    """
    fork = multiprocessing.get_context("fork")
    reading, writing = fork.Pipe(duplex=False)
    process = fork.Process(target=_told, args=(work, writing), name="logbuch-apart")
    process.start()
    writing.close()
    try:
        refused: str | None = reading.recv()
    except EOFError:
        refused = "The artifacts cannot be looked at: the process that did so has died."
    process.join()
    if refused is not None:
        raise StoreRefused(refused)


def _told(work: Callable[[], object], writing: Any) -> None:
    try:
        work()
    except LogbuchError as error:
        writing.send(error.message)
    else:
        writing.send(None)


def _replace(place: _Place, start: Callable[[], Any], stopping: threading.Event) -> None:
    settled = time.monotonic() - place.since > SETTLED_SECONDS
    place.pause = FIRST_PAUSE if settled else min(2 * place.pause, LONGEST_PAUSE)
    print(  # noqa: T201
        f"A worker ended with code {place.process.exitcode}; another starts in {place.pause:.0f} s.",
        file=sys.stderr,
        flush=True,
    )
    stopping.wait(place.pause)
    with _held():
        if not stopping.is_set():
            place.process, place.since = start(), time.monotonic()


@contextmanager
def _held() -> Iterator[None]:
    """Signals that end wait meanwhile: none comes to a worker that is not yet in its place, or ends who starts it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(work: Callable[[], int], watched: int, kept: int) -> None:
    os.close(kept)
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    threading.Thread(target=_end_with_parent, args=(watched,), name="logbuch-parent", daemon=True).start()
    os._exit(work())


def _end_with_parent(watched: int) -> None:
    os.read(watched, 1)
    os.kill(os.getpid(), signal.SIGTERM)
