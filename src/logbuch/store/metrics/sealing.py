"""Sealing: the arrival log of a run is rewritten as compressed blocks, one series after the other, in the background.

A run is sealed when its log has grown long, and when it rests. The work is done outside any transaction; the swap is
one short write that deletes exactly the rows that were read and gives up if somebody else took one of them.
"""

from __future__ import annotations

import bisect
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import delete, func, select

from logbuch.errors import LogbuchError
from logbuch.store import schema
from logbuch.store.metrics import backlog, blocks
from logbuch.store.metrics.points import split_arrivals
from logbuch.store.tx import Tx, beside_latest, chunks

logger = logging.getLogger("logbuch.store.sealing")

LOG_ROWS, LOG_POINTS = 256, 250_000
"""A run whose log has more rows or points than this is sealed, though it goes on."""
REST_ROWS, REST_POINTS = 16, 512
"""A run that rests is sealed if its log has so many rows or points; less is read as quickly from the log."""
REST_SECONDS = 5.0
READ_ROWS, READ_POINTS = 2000, 300_000
"""What is sealed at once: all of a log that has just grown long, for each block costs a row and more to pack, however
few points it has. The swap holds up other writers for some 10 ms of work then."""
LOOK_SECONDS = 30.0
PAUSE_SECONDS = 2.0
_log = schema.arrivals


class _Taken(Exception):
    """Another process sealed some of the same rows first."""


@dataclass(slots=True)
class _Grown:
    """What a run's log has got since it was sealed."""

    rows: int = 0
    points: int = 0
    last: float = 0.0


class Sealer:
    """The background thread. It sleeps until a run's log has grown long or rests, and tidies up when nothing is left.

    Every half minute it looks for what other processes have written or left. ``tidy`` gives the database the occasion
    to return space; it is called when all that was logged is sealed.
    """

    def __init__(
        self, read: Callable[..., Any], write: Callable[..., Any], tidy: Callable[[Callable[[], bool]], None]
    ) -> None:
        self._read, self._write, self._tidy = read, write, tidy
        self._lock = threading.Condition()
        self._grown: dict[int, _Grown] = {}
        self._due: dict[int, None] = {}
        self._closed = False
        self._looked = -LOOK_SECONDS
        self._look = False
        self._untidy = False
        self._thread: threading.Thread | None = None

    def note(self, points: Mapping[int, int]) -> None:
        """Told after a commit how many points each run's new log row holds."""
        if not points:
            return
        now = time.monotonic()
        with self._lock:
            for run, count in points.items():
                grown = self._grown.setdefault(run, _Grown())
                grown.rows, grown.points, grown.last = grown.rows + 1, grown.points + count, now
                if grown.rows >= LOG_ROWS or grown.points >= LOG_POINTS:
                    del self._grown[run]
                    self._due.setdefault(run)
            self._start(wake=bool(self._due))

    def look(self) -> None:
        """Told that other processes may have written: looks for long logs, at most every half minute."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._looked, self._look = time.monotonic(), True
                self._start(wake=True)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _start(self, *, wake: bool) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="logbuch-sealer", daemon=True)
            self._thread.start()
        elif wake:
            self._lock.notify_all()

    def _run(self) -> None:
        while self._wait():
            try:
                self._work()
            except LogbuchError as error:
                logger.warning("sealing goes on later: %s", error)
            except Exception:  # one run that cannot be packed must not keep the others from it
                logger.exception("a run cannot be sealed; its points stay in the log")

    def _wait(self) -> bool:
        """Until there is something to do; False at the end."""
        with self._lock:
            self._gather_resting()
            while not (self._closed or self._due or self._look or (self._untidy and not self._grown)):
                # New points do not wake the thread, which would cost every commit: it looks for itself now and then.
                self._lock.wait(REST_SECONDS if self._grown else LOOK_SECONDS)
                self._gather_resting()
                if not self._grown and time.monotonic() - self._looked >= LOOK_SECONDS:
                    self._looked, self._look = time.monotonic(), True
            return not self._closed

    def _gather_resting(self) -> None:
        before = time.monotonic() - REST_SECONDS
        for run, grown in list(self._grown.items()):
            if grown.last <= before:
                del self._grown[run]
                self._untidy = True
                if grown.rows >= REST_ROWS or grown.points >= REST_POINTS:
                    self._due.setdefault(run)

    def _work(self) -> None:
        if self._look:
            self._look = False
            runs = self._read(_long_logs)
            with self._lock:
                self._due |= dict.fromkeys(runs)
        with self._lock:
            run = next(iter(self._due), None)
            if run is not None:
                del self._due[run]
        if run is None:
            if self._untidy:
                self._untidy = False
                self._tidy(lambda: self._closed or bool(self._due))
            return
        try:
            seal(self._read, self._write, run, lambda: self._closed)
        except LogbuchError:
            # The database is busy or away: this run comes again, after a pause and behind the others.
            with self._lock:
                self._due.setdefault(run)
                self._lock.wait(PAUSE_SECONDS)
            raise
        self._untidy = True


@beside_latest
def _long_logs(tx: Tx) -> list[int]:
    """Runs that another process left, or another writer goes on with."""
    long = (func.count() >= LOG_ROWS // 4) | (func.sum(_log.c.points) >= REST_POINTS)
    return list(tx.execute(select(_log.c.run).group_by(_log.c.run).having(long)).scalars())


def seal(
    read: Callable[..., Any], write: Callable[..., Any], run: int, stop: Callable[[], bool] = lambda: False
) -> int:
    """Moves what now stands in a run's log into blocks, and returns how many points were moved.

    What arrives meanwhile waits for the next time: a run that never rests must not keep the others from being sealed.
    """
    moved, newest = 0, read(_newest_of, run)
    waits = read(backlog.waits, run)
    if waits is not None:
        write(backlog.merge, [waits])  # what is swapped away below must be among the latest values
    while newest is not None and not stop():
        ids, blobs = read(_log_of, run, newest)
        if not ids:
            break
        arrived = {key: series.ordered() for key, series in split_arrivals(blobs).items()}
        try:
            write(_swap, run, ids, blocks.pack(run, read(blocks.rewrites, run, arrived)))
        except _Taken:
            break
        moved += sum(map(len, arrived.values()))
    return moved


@beside_latest
def _newest_of(tx: Tx, run: int) -> int | None:
    newest: int | None = tx.execute(select(func.max(_log.c.id)).where(_log.c.run == run)).scalar()
    return newest


@beside_latest
def _log_of(tx: Tx, run: int, newest: int) -> tuple[list[int], list[bytes]]:
    """The oldest rows of a run's log, as many as are packed at once."""
    mine = (_log.c.run == run) & (_log.c.id <= newest)
    sizes = tx.execute(select(_log.c.id, _log.c.points).where(mine).order_by(_log.c.id).limit(READ_ROWS)).all()
    sums = list(accumulate(size.points for size in sizes))
    count = max(1, bisect.bisect_right(sums, READ_POINTS))
    if not sizes:
        return [], []
    last = sizes[:count][-1].id
    rows = tx.execute(select(_log.c.id, _log.c.data).where(mine, _log.c.id <= last).order_by(_log.c.id)).all()
    return [row.id for row in rows], [row.data for row in rows]


def _swap(tx: Tx, run: int, log: Sequence[int], packed: blocks.Packed) -> None:
    tx.seam.lock_run(tx.connection, run)
    if backlog.first(tx, run) <= log[-1]:
        raise _Taken
    for part in chunks(log):
        if tx.change(delete(_log).where(_log.c.id.in_(part))).rowcount != len(part):
            raise _Taken
    if not blocks.replace(tx, packed):
        raise _Taken
