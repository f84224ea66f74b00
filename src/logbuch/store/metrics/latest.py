"""The latest value of every metric of a run, and its least and greatest: what searches, tables and comparisons read.

MLflow's "latest" is the greatest (step, timestamp, value), not the last written. Least and greatest leave NaN out, and
remember the first step at which they stood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, case, or_, select

from logbuch.model import Metric
from logbuch.store import schema
from logbuch.store.metrics import ordinal
from logbuch.store.tx import Points, Tx, chunks

_table = schema.latest


def update(tx: Tx, points: Mapping[int, Points]) -> None:
    """Merges the points of a group into the table, in (run, key) order."""
    rows = []
    for run in sorted(points):
        summaries = _summaries(points[run])
        head = {"run": run, "experiment": points[run].experiment}
        rows += [{**head, "key": key, **summaries[key]} for key in sorted(summaries)]
    tx.insert(tx.seam.upsert(_table, _merged), rows)


def of_runs(tx: Tx, runs: Sequence[int]) -> dict[int, list[Metric]]:
    """The latest point of each metric of each run, in the order of their keys."""
    found: dict[int, list[Metric]] = {}
    for part in chunks(runs):
        query = (
            select(_table.c.run, schema.names.c.name, _table.c.value, _table.c.timestamp, _table.c.step)
            .join(schema.names, schema.names.c.id == _table.c.key)
            .where(_table.c.run.in_(part))
        )
        for run, key, value, timestamp, step in tx.execute(query).all():
            point = Metric(key=key, value=ordinal.decode(value), timestamp=timestamp, step=step)
            found.setdefault(run, []).append(point)
    for metrics in found.values():
        metrics.sort(key=lambda metric: metric.key)
    return found


def _summaries(points: Points) -> dict[int, dict[str, int | None]]:
    """For each key: the latest point, the least and the greatest value with the first step of each."""
    last: dict[int, tuple[int, int, int]] = {}
    low: dict[int, tuple[int, int]] = {}
    high: dict[int, tuple[int, int]] = {}
    ordinals = ordinal.encode_all(points.values)
    for key, step, timestamp, value in zip(points.keys, points.steps, points.timestamps, ordinals, strict=True):
        point = (step, timestamp, value)
        if key not in last or point > last[key]:
            last[key] = point
        if value == ordinal.NAN:
            continue
        if key not in low or (value, step) < low[key]:
            low[key] = (value, step)
        if key not in high or (value, -step) > high[key]:
            high[key] = (value, -step)
    return {
        key: {
            "step": step,
            "timestamp": timestamp,
            "value": value,
            "min": low[key][0] if key in low else None,
            "min_step": low[key][1] if key in low else None,
            "max": high[key][0] if key in high else None,
            "max_step": -high[key][1] if key in high else None,
        }
        for key, (step, timestamp, value) in last.items()
    }


def _merged(new: Any) -> dict[str, Any]:
    """What an upsert sets: each part by its own comparison of the old row with the new one."""
    old = _table.c
    later = or_(
        new.step > old.step,
        and_(new.step == old.step, new.timestamp > old.timestamp),
        and_(new.step == old.step, new.timestamp == old.timestamp, new.value > old.value),
    )
    lower = _extends(old.min, old.min_step, new.min, new.min_step, new.min < old.min)
    higher = _extends(old.max, old.max_step, new.max, new.max_step, new.max > old.max)
    chosen = {column: (later, column) for column in ("step", "timestamp", "value")}
    chosen |= {column: (lower, column) for column in ("min", "min_step")}
    chosen |= {column: (higher, column) for column in ("max", "max_step")}
    return {
        column: case((condition, getattr(new, name)), else_=getattr(old, name))
        for column, (condition, name) in chosen.items()
    }


def _extends(old: Any, old_step: Any, new: Any, new_step: Any, beyond: Any) -> Any:
    """Whether a new extreme replaces the old: it lies beyond, or there was none, or it stood at an earlier step."""
    return and_(new.is_not(None), or_(old.is_(None), beyond, and_(new == old, new_step < old_step)))
