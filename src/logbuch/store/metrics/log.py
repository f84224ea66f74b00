"""The arrival log: one row a commit and run, all its points packed in columns."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from logbuch import limits
from logbuch.store import schema
from logbuch.store.heads import RunRow
from logbuch.store.metrics import backlog
from logbuch.store.metrics.arriving import Arrival, Arrived, Column
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.metrics.points import pack_arrival
from logbuch.store.tx import Pending, Tx

_insert = schema.arrivals.insert()


def append(tx: Tx, head: RunRow, points: Incoming) -> None:
    """Hands points of a run to the commit: their keys are checked here, and they are written with the whole group's."""
    if not len(points):
        return
    tx.pending.arrivals.append(arrival(tx, head, points))
    tx.touch(head.id, head.experiment)


def arrival(tx: Tx, head: RunRow, points: Incoming) -> Arrival:
    """Points with the inner ids of their keys, which are checked."""
    keys = _spread(_ids(tx, points.names), points.index)
    return Arrival(head.id, head.run_id, keys, points.steps, points.timestamps, points.values)


def flush(tx: Tx, group: Pending) -> None:
    """Writes the group's points: one arrival row a run. Their latest values are left to the backlog."""
    if not group.arrivals:
        return
    arrived = Arrived.of(group.arrivals)
    rows = [(run, len(keys), pack_arrival(keys, points)) for run, keys, points in arrived]
    tx.insert_rows(_insert, ("run", "points", "data"), rows)
    backlog.note(tx, arrived.runs)
    group.logged = arrived.counts()
    ids = {arrival.run: arrival.run_id for arrival in group.arrivals}
    group.unmerged = {ids[run]: count for run, count in group.logged.items()}


def _spread(ids: list[int], index: Column) -> Column:
    """The id of each point's key."""
    if len(index) == 1:
        return array("q", (ids[index[0]],))
    return np.array(ids, np.int64)[np.asarray(index)]


def _ids(tx: Tx, keys: Sequence[str]) -> list[int]:
    """The inner ids of these keys, in their order; new ones are checked and get one."""
    remembered = tx.remembered_ids(keys)
    if remembered is not None:
        return remembered
    known = tx.known_names(set(keys))
    fresh = set(keys) - known.keys()
    for key in fresh:
        limits.check_key(key, "key")
    ids = known | tx.name_ids(fresh) if fresh else known
    return [ids[key] for key in keys]
