"""Group commit: writes that arrive while a commit is under way share the next one.

A durable commit costs one fsync. One thread takes everything that waits, runs it in one transaction and tells every
caller after the commit. A job that fails takes back its own savepoint alone; the others go on.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from logbuch.errors import Unavailable

GROUP_LIMIT = 4096
CROWD = 2
"""Jobs of the last group from which on the next one is waited for: a lone client never waits."""
GATHER_SECONDS = 0.0016


class Waiter(Protocol):
    """Somebody who waits for the outcome of a job."""

    def settle(self, value: Any, error: BaseException | None) -> None: ...


@dataclass(slots=True)
class LoopWaiter:
    """A coroutine that waits; outcomes are handed to its loop in one call for the whole group."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def settle(self, value: Any, error: BaseException | None) -> None:
        if self.future.done():  # the client has gone
            return
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


@dataclass(slots=True)
class ThreadWaiter:
    """A thread that waits."""

    future: Future[Any]

    def settle(self, value: Any, error: BaseException | None) -> None:
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


@dataclass(slots=True)
class Job:
    """One write: ``function(tx, *arguments)`` in the group's transaction; ``waiter`` hears of it after the commit."""

    waiter: Waiter
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    error: BaseException | None = None


class Writer:
    """The write thread. ``commit`` runs a group in one transaction and leaves each job's value or error in it."""

    def __init__(self, commit: Callable[[Sequence[Job]], None]) -> None:
        self._commit = commit
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._crowd = 0
        """So many waiting jobs are waited for; 0 while nobody waits."""
        self._together = threading.Event()

    def submit(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise Unavailable("The store is closed.")
            self._queue.put(job)
            if self._queue.qsize() == self._crowd:
                self._together.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="logbuch-writer", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Commits what was submitted, then ends the thread."""
        with self._lock:
            self._closed = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        expected = 0
        while (first := self._queue.get()) is not None:
            self._gather(expected)
            group, ended = self._drain(first)
            expected = len(group)
            try:
                self._commit(group)
            except BaseException as error:  # noqa: BLE001  every caller gets it; the thread must live on
                for job in group:
                    job.error = error
            _settle(group)
            if ended:
                return

    def _gather(self, expected: int) -> None:
        """Gives a crowd like the last one a moment to come together: fewer, fuller commits serve it sooner."""
        if expected < CROWD:
            return
        self._together.clear()
        self._crowd = expected - 1
        if self._queue.qsize() < self._crowd:
            self._together.wait(GATHER_SECONDS)
        self._crowd = 0

    def _drain(self, first: Job) -> tuple[list[Job], bool]:
        group = [first]
        while len(group) < GROUP_LIMIT:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False


def _settle(group: Sequence[Job]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in group:
        if isinstance(job.waiter, LoopWaiter):
            loops.setdefault(job.waiter.loop, []).append(job)
        else:
            job.waiter.settle(job.value, job.error)
    for loop, jobs in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle_all, jobs)


def _settle_all(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.waiter.settle(job.value, job.error)
