"""One connection a tracking URI and process: backend, sender, and the runs that this process writes to."""

from __future__ import annotations

import os
import shlex
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from logbuch import settings
from logbuch.errors import InvalidInput
from logbuch.model import LifecycleStage, Run
from logbuch.sdk import ending, workers
from logbuch.sdk.backends import place
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.heart import Heart
from logbuch.sdk.journal.folder import root_of_servers
from logbuch.sdk.journal.journal import Journal
from logbuch.sdk.journal.room import Room
from logbuch.sdk.journal.segments import Home
from logbuch.sdk.notes import say
from logbuch.sdk.shipping import leftovers
from logbuch.sdk.shipping.delivery import Files, Unsent
from logbuch.sdk.shipping.sender import Sender
from logbuch.sdk.shipping.spool import Spool
from logbuch.sdk.writer import RunWriter
from logbuch.wire import ingest

READ_SECONDS, STALL_SECONDS = 3.0, 0.75
"""How long a read waits for what was written before it; and for what is still gathered, or where nothing arrives."""
READ_FILES_SECONDS = 60.0
"""How long a read of files does, while they arrive."""
_CLOSE_SECONDS = 1.0
_TELL_SECONDS = 60.0
_REMEMBERED_RUNS = 10_000


class Connection:
    """What a process holds of one place where runs go."""

    def __init__(self, key: str, backend: Backend) -> None:
        self.key = key
        self.backend = backend
        self._usual, self._meant, self._meant_elsewhere = _journals(key)
        self.journal = Journal(self._usual, self._meant, Room(self._usual, self._release), self._spare())
        self.sender = Sender(backend, self.journal, sweep=self._sweep, others=self._others)
        self.spool = Spool(self._files)
        self.heart = Heart(self._beat)
        self._held_as = self.journal.id
        self._tell_again = 0.0
        self.gathering: list[Callable[[float], None]] = []
        """Waits, given seconds, for what threads still find out about runs that have just begun."""
        self._writers: OrderedDict[str, RunWriter] = OrderedDict()
        self._lock = threading.RLock()  # a signal handler may log amid a call

    @property
    def root(self) -> Path:
        """The folder of journals in which this process's own is, or will be."""
        folder = self.journal.folder
        return folder.path.parent if folder is not None else self._usual

    def look_around(self) -> None:
        """Sends what others have left, if there is something."""
        if self._others():
            self.sender.look_around()

    def writer(self, run_id: str) -> RunWriter:
        """The way to write to a run. A run that is not known yet is looked up: it must exist and not be deleted."""
        found = self._writers.get(run_id)
        if found is None:
            from logbuch.sdk import beginning

            found = self.adopt(beginning.attach(self, run_id))
        return found

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
        deadline = time.monotonic() + (READ_SECONDS if files is Files.NONE else READ_FILES_SECONDS)
        self.gathered(STALL_SECONDS)
        arrived = self.sender.flush(deadline - time.monotonic(), stall=STALL_SECONDS, files=files)
        if files is not Files.NONE and time.monotonic() >= deadline:
            say("Not all files that were logged have arrived yet: what is read now may lack some of them.")
        elif not arrived and files is Files.NONE and not self.backend.silent:  # else the read itself says so
            self._tell_behind()
        return self.backend

    def _tell_behind(self) -> None:
        """The disk or the server takes nothing now. Who reads again and again is not told each time."""
        now = time.monotonic()
        if now >= self._tell_again:
            self._tell_again = now + _TELL_SECONDS
            say("Not all that was logged has arrived yet: what is read now may lack the newest of it.")

    def gathered(self, seconds: float) -> None:
        """Waits for what threads still find out about runs that have just begun."""
        deadline = time.monotonic() + seconds
        for wait in tuple(self.gathering):
            wait(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        self.heart.stop()
        self.spool.close()
        self.sender.close()
        self.backend.close()

    def leave(self) -> None:
        """Leaves the journal on the disk in order, at the end of the process."""
        self.heart.stop()
        self.spool.close()
        self.sender.leave()

    def _files(self) -> Path | None:
        """Copies lie beside the journal, so a later process finds them."""
        self.journal.settle()
        return self.journal.folder.files if self.journal.folder is not None else None

    def _beat(self) -> float:
        if self.journal.folder is not None:
            self.journal.folder.touch()
        if self.sender.known_as != self._held_as:  # what was held under the old ID would be lost with it
            self._held_as = self.sender.known_as
            for run_id in self.heart.held():
                self.sender.put(ingest.Hold(run_id), run_id, vital=True, counted=False)
        return self.backend.beat(self._held_as)

    def _release(self) -> None:
        self.journal.release(self.sender.state)

    def _sweep(self, enough: Callable[[], bool]) -> None:
        for root, meant in () if self.backend.barred else self._roots():
            found = leftovers.sweep(root, meant, self.backend, self.journal.id, enough) if root.is_dir() else []
            for complaint in filter(None, (outcome.complaint() for outcome in found)):
                self.sender.remark(complaint)

    def _others(self) -> bool:
        return any(leftovers.any_for(root, meant, self.journal.id) for root, meant in self._roots())

    def _roots(self) -> list[tuple[Path, str]]:
        """Where journals for this place may be, and how they name it."""
        elsewhere = [(root, self._meant_elsewhere) for root in place.used_roots() if root != self._usual]
        return [(self._usual, self._meant), *elsewhere]

    def _spare(self) -> Iterator[Home]:
        """Where the journal may be instead."""
        for root in place.spare_roots():
            if root != self._usual:
                yield Home(root, self._meant_elsewhere, Room(root, self._release))


_open: dict[str, Connection] = {}
_lock = threading.RLock()
_forked = False
_orphans: list[Connection] = []


def connect(uri: str | None = None) -> Connection:
    """The connection to a tracking URI; to the current one by default."""
    key = str(uri) if uri else place.current()
    found = _open.get(key)
    if found is not None:
        return found
    with _lock:
        found = _open.get(key)
        if found is None:
            made = Connection(key, open_backend(key))
            found = _open.setdefault(key, made)  # a signal handler may have been here meanwhile
            if found is made:
                ending.install()
                made.look_around()
        return found


def connections() -> list[Connection]:
    """All open connections."""
    return list(_open.values())


def close_all() -> None:
    """Closes every connection, whatever still waits to be sent."""
    with _lock:
        for connection in _open.values():
            connection.close()
        _open.clear()


def _journals(uri: str) -> tuple[Path, str, str]:
    """The folder of the journals for a tracking URI, and how they name what they are meant for, there and elsewhere."""
    where = place.understand(uri)
    if isinstance(where, str):
        from logbuch.sdk.backends.transport import bare

        try:
            return root_of_servers(), bare(where), bare(where)
        except (OSError, RuntimeError):  # a user without a home
            return next(place.spare_roots()), bare(where), bare(where)
    database = where.database
    return database.parent / place.JOURNALS, f"sqlite:{database.name}", f"sqlite:{database}"


def open_backend(uri: str) -> Backend:
    """The backend of a tracking URI."""
    where = place.understand(uri)
    if isinstance(where, str):
        from logbuch.sdk.backends.http import HttpBackend

        return HttpBackend(where)
    from logbuch.sdk.backends.embedded import EmbeddedBackend

    return EmbeddedBackend(*where)


@ending.at_end
def _send_the_rest(_error: BaseException | None) -> None:
    """Sends what still waits, for a limited time. A worker that only printed holds up nobody: others send its rest."""
    for connection in connections():
        if (_forked or workers.spawned()) and not connection.journal.logged and not connection.sender.delivery().files:
            connection.sender.flush(_CLOSE_SECONDS)
        else:
            _finish(connection)
        connection.leave()
        connection.backend.rest(_CLOSE_SECONDS)


def _finish(connection: Connection) -> None:
    """Sends what still waits, and says what is lost."""
    left = connection.sender.finish(settings.FINISH_TIMEOUT.number())
    delivery = connection.sender.delivery()
    if any(left):
        trouble = delivery.trouble or "there was no time left"
        say(f"logbuch: {_named(left)} could not be sent to {connection.backend.uri} ({trouble}){_fate(connection)}")
    if delivery.dropped:
        say(f"logbuch: {_count(delivery.dropped, 'record')} dropped: {connection.journal.why_full}.")


def _fate(connection: Connection) -> str:
    """What becomes of records that were not sent."""
    unsafe = connection.journal.unsafe(connection.sender.course.number)
    lost = f"; {_count(unsafe, 'record')} only in memory are lost" if unsafe else ""
    if connection.journal.folder is None:
        return lost
    folder = shlex.quote(str(connection.journal.folder.path))
    return f"{lost}; kept in {folder}: the next program here sends them, or: logbuch sync {folder}"


def _named(left: Unsent) -> str:
    found = [_count(number, word) for number, word in zip(left, ("record", "file"), strict=True) if number]
    return " and ".join(found)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _after_fork() -> None:
    """A forked child has no sender thread, and must neither use nor close its parent's sockets. So they are kept,
    untouched, and everything begins anew. What becomes of the database is told in embedded.py."""
    global _lock, _forked
    _lock, _forked = threading.RLock(), True
    for connection in _open.values():
        connection.journal.abandon()
    _orphans.extend(_open.values())
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
