"""Sealing: the arrival log of a run is rewritten as compressed blocks, one series after the other, in the background.

A run is sealed when its log has grown long, or when it rests. The work is done outside any transaction; the swap is
one short write that deletes exactly the rows that were read and gives up if somebody else took one of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from logbuch.errors import LogbuchError
from logbuch.store import schema
from logbuch.store.metrics import ordinal
from logbuch.store.metrics.points import Series, pack_block, split_arrivals, unpack_block
from logbuch.store.tx import Tx, chunks

logger = logging.getLogger("logbuch.store.sealing")

BLOCK_POINTS = 32_768
"""Points of a full block. Larger ones compress no better, and a read of a part would decode too much."""
LOG_ROWS, LOG_POINTS = 256, 100_000
"""A run whose log has more rows or points than this is sealed."""
READ_ROWS = 2000
LOOK_SECONDS = 30.0
PAUSE_SECONDS = 2.0
_insert = schema.blocks.insert()


class _Taken(Exception):
    """Another process sealed some of the same rows first."""


@dataclass(frozen=True, slots=True)
class _Old:
    """A block that is replaced."""

    id: int
    key: int
    data: bytes


class Sealer:
    """The background thread. It sleeps until a run's log has grown long."""

    def __init__(self, read: Callable[..., Any], write: Callable[..., Any]) -> None:
        self._read, self._write = read, write
        self._lock = threading.Condition()
        self._grown: dict[int, list[int]] = {}
        self._due: dict[int, None] = {}
        self._closed = False
        self._looked = -LOOK_SECONDS
        self._look = False
        self._thread: threading.Thread | None = None

    def note(self, points: Mapping[int, int]) -> None:
        """Told after a commit how many points each run's new log row holds."""
        with self._lock:
            for run, count in points.items():
                grown = self._grown.setdefault(run, [0, 0])
                grown[0] += 1
                grown[1] += count
                if grown[0] >= LOG_ROWS or grown[1] >= LOG_POINTS:
                    del self._grown[run]
                    self._due.setdefault(run)
            if self._due:
                self._start()

    def look(self) -> None:
        """Told that other processes may have written: looks for long logs, at most every half minute."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._looked, self._look = time.monotonic(), True
                self._start()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="logbuch-sealer", daemon=True)
            self._thread.start()
        self._lock.notify_all()

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._due and not self._look and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
            try:
                self._work()
            except LogbuchError as error:
                logger.warning("sealing goes on later: %s", error)
            except Exception:  # one run that cannot be packed must not keep the others from it
                logger.exception("a run cannot be sealed; its points stay in the log")

    def _work(self) -> None:
        if self._look:
            self._look = False
            runs = self._read(_long_logs)
            with self._lock:
                self._due |= dict.fromkeys(runs)
        with self._lock:
            run = next(iter(self._due), None)
            if run is None:
                return
            del self._due[run]
        try:
            seal(self._read, self._write, run)
        except LogbuchError:
            # The database is busy or away: this run comes again, after a pause and behind the others.
            with self._lock:
                self._due.setdefault(run)
                self._lock.wait(PAUSE_SECONDS)
            raise


def seal(read: Callable[..., Any], write: Callable[..., Any], run: int) -> int:
    """Moves what now stands in a run's log into blocks, and returns how many points were moved.

    What arrives meanwhile waits for the next time: a run that never rests must not keep the others from being sealed.
    """
    moved, newest = 0, read(_newest_of, run)
    while newest is not None:
        ids, blobs = read(_log_of, run, newest)
        if not ids:
            break
        arrived = {key: series.ordered() for key, series in split_arrivals(blobs).items()}
        old = read(_overlapped, run, arrived)
        rows = _rewrite(run, arrived, old)
        try:
            write(_swap, run, ids, [block.id for block in old], rows)
        except _Taken:
            break
        moved += sum(map(len, arrived.values()))
    return moved


def _long_logs(tx: Tx) -> list[int]:
    table = schema.arrivals
    query = (
        select(table.c.run)
        .group_by(table.c.run)
        .having((func.count() >= LOG_ROWS) | (func.sum(table.c.points) >= LOG_POINTS))
    )
    return list(tx.execute(query).scalars())


def _newest_of(tx: Tx, run: int) -> int | None:
    table = schema.arrivals
    newest: int | None = tx.execute(select(func.max(table.c.id)).where(table.c.run == run)).scalar()
    return newest


def _log_of(tx: Tx, run: int, newest: int) -> tuple[list[int], list[bytes]]:
    table = schema.arrivals
    query = select(table.c.id, table.c.data).where(table.c.run == run, table.c.id <= newest)
    rows = tx.execute(query.order_by(table.c.id).limit(READ_ROWS)).all()
    return [row.id for row in rows], [row.data for row in rows]


def _overlapped(tx: Tx, run: int, arrived: Mapping[int, Series]) -> list[_Old]:
    """The blocks that the new points reach into, and each series' last block if it has room."""
    table = schema.blocks
    old: list[_Old] = []
    heads: dict[int, list[Any]] = {}
    for part in chunks(list(arrived)):
        query = (
            select(table.c.id, table.c.key, table.c.points, table.c.first_step, table.c.last_step)
            .where(table.c.run == run, table.c.key.in_(part))
            .order_by(table.c.key, table.c.first_step)
        )
        for row in tx.execute(query):
            heads.setdefault(row.key, []).append(row)
    wanted: list[int] = []
    for key, rows in heads.items():
        first, last = int(arrived[key].steps[0]), int(arrived[key].steps[-1])
        wanted += [row.id for row in rows if row.first_step <= last and row.last_step >= first]
        if rows[-1].points < BLOCK_POINTS and rows[-1].id not in wanted:
            wanted.append(rows[-1].id)
    for ids in chunks(wanted):
        query = select(table.c.id, table.c.key, table.c.data).where(table.c.id.in_(ids))
        old += [_Old(row.id, row.key, row.data) for row in tx.execute(query)]
    return old


def _rewrite(run: int, arrived: Mapping[int, Series], old: Sequence[_Old]) -> list[dict[str, Any]]:
    """The rows of the new blocks: arrived points merged with those of the blocks that they replace."""
    replaced: dict[int, list[Series]] = {}
    for block in old:
        replaced.setdefault(block.key, []).append(unpack_block(block.data))
    rows = []
    for key, series in arrived.items():
        merged = Series.concat([*replaced.get(key, []), series]).ordered()
        rows += [_row(run, key, merged[start : start + BLOCK_POINTS]) for start in range(0, len(merged), BLOCK_POINTS)]
    return rows


def _row(run: int, key: int, series: Series) -> dict[str, Any]:
    ordinals = ordinal.encode_array(series.values)
    numbers = ordinals[ordinals != ordinal.NAN]
    return {
        "run": run,
        "key": key,
        "points": len(series),
        "first_step": int(series.steps[0]),
        "last_step": int(series.steps[-1]),
        "min": int(numbers.min()) if len(numbers) else None,
        "max": int(numbers.max()) if len(numbers) else None,
        "data": pack_block(series),
    }


def _swap(tx: Tx, run: int, log: Sequence[int], old: Sequence[int], rows: Sequence[dict[str, Any]]) -> None:
    tx.seam.lock_run(tx.connection, run)
    for table, ids in ((schema.arrivals, log), (schema.blocks, old)):
        for part in chunks(ids):
            gone = tx.change(delete(table).where(table.c.id.in_(part)))
            if gone.rowcount != len(part):
                raise _Taken
    tx.insert(_insert, rows)
