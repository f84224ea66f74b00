"""The arrival log: one row a commit and run, all its points packed in columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Metric
from logbuch.store import schema
from logbuch.store.metrics import latest, points
from logbuch.store.tx import Pending, Points, Tx


def append(tx: Tx, head: Row[Any], metrics: Sequence[Metric]) -> None:
    """Hands points of a run to the commit: they are checked here, and written with those of the whole group."""
    if not metrics:
        return
    known = tx.known_names({metric.key for metric in metrics})
    fresh = {metric.key for metric in metrics if metric.key not in known}
    for key in fresh:
        limits.check_key(key, "key")
    ids = known | tx.name_ids(fresh) if fresh else known
    for metric in metrics:
        if not limits.INT64_MIN <= metric.step <= limits.INT64_MAX:
            raise InvalidInput(f"Invalid value {metric.step} for parameter 'step': it does not fit 64 bits.")
        if not limits.INT64_MIN <= metric.timestamp <= limits.INT64_MAX:
            raise InvalidInput(f"Invalid value {metric.timestamp} for parameter 'timestamp': it does not fit 64 bits.")
    gathered = Points(
        head.experiment,
        [ids[metric.key] for metric in metrics],
        [metric.step for metric in metrics],
        [metric.timestamp for metric in metrics],
        # One NaN for all: its sign and payload mean nothing, and equal points must have equal bits.
        [metric.value if metric.value == metric.value else math.nan for metric in metrics],
    )
    if head.id in tx.pending.points:
        tx.pending.points[head.id].extend(gathered)
    else:
        tx.pending.points[head.id] = gathered
    tx.touch(head.id, head.experiment)


def flush(tx: Tx, group: Pending) -> None:
    """Writes the group's points: one arrival row a run, and their latest values. Runs ascend, against deadlocks."""
    rows = []
    for run in sorted(group.points):
        part = group.points[run]
        data = points.pack_arrival(part.keys, part.steps, part.timestamps, part.values)
        rows.append({"run": run, "points": len(part.keys), "data": data})
    tx.insert(schema.arrivals.insert(), rows)
    latest.update(tx, group.points)
