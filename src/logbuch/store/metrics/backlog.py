"""The backlog: runs whose newest points are in the log, but not yet among the latest values.

A latest value is a row and an index entry for each key, which costs many times what the points cost in the log. So a
commit only notes from where on a run's log is unmerged. Whoever reads latest values merges first (``Store.read`` sees
to that), and so do sealing and the commit that finds a run's share grown long: nothing is ever read that lacks a point.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from sqlalchemy import delete, func, select

from logbuch.limits import INT64_MAX
from logbuch.store import schema
from logbuch.store.metrics import latest
from logbuch.store.metrics.arriving import Arrival, Arrived
from logbuch.store.metrics.latest import OfRun
from logbuch.store.metrics.points import unpack_arrival, unpack_rounds
from logbuch.store.metrics.rounds import Rounds
from logbuch.store.tx import Tx, beside_latest, chunks

logger = logging.getLogger("logbuch.store")

RUN_POINTS, RUNS, POINTS = 65_536, 256, 262_144
"""A run with so many unmerged points is merged by the next commit; so are all of them where they are so many, or have
so many points together. A reader never has to wait for more."""
LONG_POINTS = 4096
"""Of a run with so many unmerged points, its own share of the work is small beside that of its points."""
_table, _log, _runs = schema.backlog, schema.arrivals, schema.runs
_insert = _table.insert()
# The sum keeps SQLite's planner from beginning with all runs.
_WAITING = f"SELECT r.run_id FROM {_table.name} b JOIN {_runs.name} r ON r.id = b.run + 0"  # noqa: S608
_STANDS = f"SELECT run FROM {_table.name} WHERE run IN (%s)"  # noqa: S608
_MOST = 256
_DAMAGED = (ValueError, KeyError, struct.error)


class Growth:
    """What a process has added to the backlog since it was merged: the unmerged points of each run, by run ID."""

    def __init__(self) -> None:
        self._points: dict[str, int] = {}
        self._sum = 0

    def add(self, points: Mapping[str, int]) -> None:
        for run_id, count in points.items():
            self._points[run_id] = self._points.get(run_id, 0) + count
            self._sum += count

    def drop(self, run_ids: Iterable[str]) -> None:
        """These were merged."""
        for run_id in run_ids:
            self._sum -= self._points.pop(run_id, 0)

    def due(self, run_ids: Iterable[str]) -> list[str]:
        """Which runs a commit that writes to ``run_ids`` is to merge."""
        if len(self._points) >= RUNS or self._sum >= POINTS:
            return list(self._points)
        return [run_id for run_id in run_ids if self._points.get(run_id, 0) >= RUN_POINTS]


def note(tx: Tx, runs: Sequence[int]) -> None:
    """Notes that points of these runs (inner ids) have just been put into the log."""
    for part in chunks(runs, _MOST):
        marks = tx.seam.driver.marks(len(part))
        known = {row[0] for row in tx.seam.driver.fetch(tx.connection, _STANDS % marks, tuple(part))}
        fresh = [run for run in part if run not in known]
        if fresh:
            # All that a run had before was merged, and what this commit adds is one row.
            newest = select(_log.c.run, func.max(_log.c.id)).where(_log.c.run.in_(fresh)).group_by(_log.c.run)
            tx.insert_rows(_insert, ("run", "first"), sorted(map(tuple, tx.execute(newest))))


@beside_latest
def waiting(tx: Tx) -> list[str]:
    """The IDs of the runs in the backlog."""
    return [run_id for (run_id,) in tx.seam.driver.fetch(tx.connection, _WAITING)]


@beside_latest
def waits(tx: Tx, run: int) -> str | None:
    """The ID of a run (inner id), if it is in the backlog."""
    query = select(_runs.c.run_id).join(_table, _table.c.run == _runs.c.id).where(_runs.c.id == run)
    found: str | None = tx.execute(query).scalar()
    return found


def first(tx: Tx, run: int) -> int:
    """The first row of a run's log that is not merged: for a run (inner id) that is merged, one that will never be."""
    found = tx.execute(select(_table.c.first).where(_table.c.run == run)).scalar()
    return INT64_MAX if found is None else int(found)


def merge(tx: Tx, run_ids: Sequence[str]) -> None:
    """Brings the latest values of these runs up to date. The runs have to be locked: no points may come meanwhile."""
    for part in chunks(run_ids):
        query = (
            select(_runs.c.id, _runs.c.experiment)
            .join(_table, _table.c.run == _runs.c.id)
            .where(_runs.c.run_id.in_(part))
        )
        experiments = {row.id: row.experiment for row in tx.execute(query)}
        if experiments:
            _merge(tx, experiments)


def catch_up(tx: Tx) -> None:
    """Merges all runs, for a job that writes and reads latest values before that."""
    run_ids = waiting(tx)
    if run_ids:
        tx.seam.lock_runs(tx.connection, sorted(run_ids))
        merge(tx, run_ids)


def _merge(tx: Tx, experiments: Mapping[int, int]) -> None:
    ours = _table.c.run.in_(experiments)
    unmerged = (
        select(_log.c.run, _log.c.id, _log.c.data)
        .join(_table, (_table.c.run == _log.c.run) & (_log.c.id >= _table.c.first))
        .where(ours)
    )
    # Sorted here: a database would move all the points to and fro for it.
    rows = sorted(tx.execute(unmerged).all(), key=itemgetter(0, 1))
    logs: dict[int, list[bytes]] = {}
    for run, _, data in rows:
        logs.setdefault(run, []).append(data)
    latest.update(tx, _parts(logs), experiments)
    tx.change(delete(_table).where(ours))


def _parts(logs: Mapping[int, Sequence[bytes]]) -> Iterator[Arrived | OfRun]:
    """What is merged at once, of the unmerged log of each run: a run with many points alone, for all its columns then
    fit the processor's cache, and all that have few together."""
    short: list[Arrival] = []
    for run, blobs in logs.items():
        table = _table_of(blobs)
        if table is not None and len(table) >= LONG_POINTS:
            yield OfRun(run, table)
            continue
        own = [one for data in blobs if (one := _arrival(run, data)) is not None]
        if sum(len(arrival.keys) for arrival in own) >= LONG_POINTS:
            yield Arrived.of(own)
        else:
            short += own
    if short:
        yield Arrived.of(short)


def _table_of(blobs: Sequence[bytes]) -> Rounds | None:
    """All points of a run's log as one table; None where they are none, or some are damaged."""
    try:
        return unpack_rounds(blobs)
    except _DAMAGED:
        return None


def _arrival(run: int, data: bytes) -> Arrival | None:
    """The points of a row of the log; None for a damaged one, which must not hide all others for ever."""
    try:
        keys, points = unpack_arrival(data)
    except _DAMAGED:
        logger.error("points of run %d in the log are damaged and left out", run)
        return None
    return Arrival(run, "", keys, points.steps, points.timestamps, points.values)
