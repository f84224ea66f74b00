"""One connection a tracking URI and process: backend, sender, and the runs that this process writes to."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from logbuch import settings
from logbuch.errors import InvalidInput
from logbuch.model import LifecycleStage, Run
from logbuch.sdk import ending, place
from logbuch.sdk.backend import Backend
from logbuch.sdk.notes import say
from logbuch.sdk.queue import NoOutbox
from logbuch.sdk.sender import Files, Sender, Unsent
from logbuch.sdk.spool import Spool
from logbuch.sdk.writer import RunWriter

READ_SECONDS = 3.0
"""How long a read waits for what was written before it, and for what is still gathered."""
_CLOSE_SECONDS = 1.0
_REMEMBERED_RUNS = 10_000


class Connection:
    """What a process holds of one place where runs go."""

    def __init__(self, key: str, backend: Backend) -> None:
        self.key = key
        self.backend = backend
        self.sender = Sender(backend, NoOutbox(backend.barred) if backend.barred else None)
        self.spool = Spool()
        self.gathering: list[Callable[[float], None]] = []
        """Waits, given seconds, for what threads still find out about runs that have just begun."""
        self._writers: OrderedDict[str, RunWriter] = OrderedDict()
        self._lock = threading.Lock()

    def writer(self, run_id: str) -> RunWriter:
        """The way to write to a run. A run that is not known yet is looked up: it must exist and not be deleted."""
        return self._writers.get(run_id) or self.adopt(self.backend.get_run(run_id))

    def adopt(self, run: Run) -> RunWriter:
        """Remembers a run as one that is written to."""
        if run.info.lifecycle_stage is LifecycleStage.DELETED:
            raise InvalidInput(f"The run {run.info.run_id} must be in the 'active' state. Current state is deleted.")
        with self._lock:
            writer = self._writers.setdefault(run.info.run_id, RunWriter(run, self.sender))
            if len(self._writers) > _REMEMBERED_RUNS:
                self._writers.popitem(last=False)
            return writer

    def forget(self, run_id: str) -> None:
        """A run whose state has changed is looked up again before the next write."""
        with self._lock:
            self._writers.pop(run_id, None)

    def settle(self, files: Files = Files.NONE) -> Backend:
        """The backend, after what was logged before has reached it: who reads sees what they wrote."""
        deadline = time.monotonic() + READ_SECONDS
        self.gathered(READ_SECONDS / 2)
        self.sender.flush(deadline - time.monotonic(), files=files)
        return self.backend

    def gathered(self, seconds: float) -> None:
        """Waits for what threads still find out about runs that have just begun."""
        deadline = time.monotonic() + seconds
        for wait in tuple(self.gathering):
            wait(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        self.sender.close()
        self.backend.close()
        self.spool.close()


_open: dict[str, Connection] = {}
_lock = threading.Lock()
_orphans: list[Connection] = []


def connect(uri: str | None = None) -> Connection:
    """The connection to a tracking URI; to the current one by default."""
    key = str(uri) if uri else place.current()
    found = _open.get(key)
    if found is not None:
        return found
    with _lock:
        if key not in _open:
            _open[key] = Connection(key, _backend(key))
            ending.install()
        return _open[key]


def connections() -> list[Connection]:
    """All open connections."""
    return list(_open.values())


def close_all() -> None:
    """Closes every connection, whatever still waits to be sent."""
    with _lock:
        for connection in _open.values():
            connection.close()
        _open.clear()


def _backend(uri: str) -> Backend:
    where = place.understand(uri)
    if isinstance(where, str):
        from logbuch.sdk.http import HttpBackend

        return HttpBackend(where)
    from logbuch.sdk.embedded import EmbeddedBackend

    return EmbeddedBackend(*where)


@ending.at_end
def _send_the_rest(_error: BaseException | None) -> None:
    """Sends what still waits, for a limited time, and says what is lost."""
    for connection in connections():
        sender = connection.sender
        left = sender.finish(settings.FINISH_TIMEOUT.number())
        delivery = sender.delivery()
        if any(left):
            trouble = delivery.trouble or "there was no time left"
            say(f"logbuch: {_named(left)} could not be sent to {connection.backend.uri} and are lost: {trouble}")
        if delivery.dropped:
            say(f"logbuch: {_count(delivery.dropped, 'record')} dropped, for there was no place to keep more.")
        connection.spool.close()
        connection.backend.rest(_CLOSE_SECONDS)


def _named(left: Unsent) -> str:
    found = [_count(number, word) for number, word in zip(left, ("record", "file"), strict=True) if number]
    return " and ".join(found)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _after_fork() -> None:
    """A forked child has no sender thread, and must neither use nor close its parent's sockets. So they are kept,
    untouched, and everything begins anew. What becomes of the database is told in embedded.py."""
    global _lock
    _lock = threading.Lock()
    _orphans.extend(_open.values())
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
