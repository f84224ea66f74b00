"""The arrival log: one row a commit and run, all its points packed in columns."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Metric
from logbuch.store import schema
from logbuch.store.heads import RunRow
from logbuch.store.metrics import latest
from logbuch.store.metrics.arriving import Arrival, Arrived
from logbuch.store.metrics.points import Series, pack_arrival
from logbuch.store.tx import Pending, Tx

_insert = schema.arrivals.insert()


def append(tx: Tx, head: RunRow, metrics: Sequence[Metric]) -> None:
    """Hands points of a run to the commit: they are checked here, and written with those of the whole group.

    There has to be one at least.
    """
    keys = [metric.key for metric in metrics]
    ids = _ids(tx, keys)
    arrival = Arrival(
        head.id,
        head.experiment,
        array("q", [ids[key] for key in keys]),
        _whole("step", [metric.step for metric in metrics]),
        _whole("timestamp", [metric.timestamp for metric in metrics]),
        array("d", [metric.value for metric in metrics]),
    )
    _hand_over(tx, arrival)


def append_columns(tx: Tx, head: RunRow, names: Sequence[str], index: NDArray[np.integer[Any]], points: Series) -> None:
    """Like :func:`append` for columns: point ``i`` is of the key ``names[index[i]]``. The index must be in range."""
    if not len(index):
        return
    ids = _ids(tx, names)
    keys = np.array([ids[name] for name in names], np.int64)[index]
    _hand_over(tx, Arrival(head.id, head.experiment, keys, points.steps, points.timestamps, points.values))


def flush(tx: Tx, group: Pending) -> None:
    """Writes the group's points: one arrival row a run, and their latest values. Runs ascend, against deadlocks."""
    if not group.arrivals:
        return
    arrived = Arrived.of(group.arrivals)
    rows = [(run, len(keys), pack_arrival(keys, points)) for run, keys, points in arrived]
    tx.insert_rows(_insert, ("run", "points", "data"), rows)
    latest.update(tx, arrived, {arrival.run: arrival.experiment for arrival in group.arrivals})
    group.logged = arrived.counts()


def _hand_over(tx: Tx, arrival: Arrival) -> None:
    tx.pending.arrivals.append(arrival)
    tx.touch(arrival.run, arrival.experiment)


def _ids(tx: Tx, keys: Sequence[str]) -> dict[str, int]:
    """The inner ids of these keys; new ones are checked and get one."""
    distinct = set(keys) if len(keys) > 1 else keys
    known = tx.known_names(distinct)
    if len(known) == len(distinct):
        return known
    fresh = set(distinct) - known.keys()
    for key in fresh:
        limits.check_key(key, "key")
    return known | tx.name_ids(fresh)


def _whole(name: str, values: list[int]) -> array[int]:
    try:
        return array("q", values)
    except OverflowError:
        wrong = next(value for value in values if not limits.INT64_MIN <= value <= limits.INT64_MAX)
        raise InvalidInput(f"Invalid value {wrong} for parameter '{name}': it does not fit 64 bits.") from None
