"""The latest value of every metric of a run, and its least and greatest: what searches, tables and comparisons read.

MLflow's "latest" is the greatest (step, timestamp, value), not the last written. Least and greatest leave NaN out, and
remember the first step at which they stood.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, case, or_, select

from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import Metric
from logbuch.store import schema
from logbuch.store.among import given
from logbuch.store.columns import Columns, OfRuns
from logbuch.store.metrics import ordinal
from logbuch.store.metrics.arriving import Arrived
from logbuch.store.tx import Tx

_table = schema.latest
_COLUMNS = ("run", "key", "experiment", "step", "timestamp", "value", "min", "min_step", "max", "max_step")
Ints = NDArray[np.int64]
_key = attrgetter("key")
OF_RUNS = OfRuns(
    select(_table.c.run, _table.c.key, _table.c.value, _table.c.timestamp, _table.c.step).where(given(_table.c.run))
)


def update(tx: Tx, arrived: Arrived, experiments: Mapping[int, int]) -> None:
    """Merges the points of a group into the table, in (run, key) order."""
    runs = np.repeat(np.array(arrived.runs, np.int64), np.diff([*arrived.starts, len(arrived.keys)]))
    tx.insert_rows(tx.seam.upsert(_table, _merged), _COLUMNS, _summaries(runs, arrived, experiments))


def nouns(found: Columns, names: Mapping[int, str]) -> Mapping[int, list[Metric]]:
    """What :data:`OF_RUNS` has read: the latest point of each metric of each run, in the order of their keys."""
    owners, keys, ordinals, timestamps, steps = found
    values = ordinal.decode_array(np.array(ordinals, np.int64)).tolist()
    made: defaultdict[int, list[Metric]] = defaultdict(list)
    for run, key, value, timestamp, step in zip(owners, keys, values, timestamps, steps, strict=True):
        made[run].append(Metric(key=names[key], value=value, timestamp=timestamp, step=step))
    for own in made.values():
        own.sort(key=_key)
    return made


def _summaries(runs: Ints, arrived: Arrived, experiments: Mapping[int, int]) -> list[tuple[int | None, ...]]:
    """For each run and key a row of the table: the latest point, the least and the greatest value."""
    points = arrived.points
    ordinals = ordinal.encode_array(points.values)
    order, starts = _by_series(runs, arrived.keys)
    steps, times, values = points.steps[order], points.timestamps[order], ordinals[order]
    last = _latest_places(starts, steps, times, values)
    low, low_step = _extreme(np.minimum, starts, steps, np.where(values == ordinal.NAN, INT64_MAX, values))
    high, high_step = _extreme(np.maximum, starts, steps, np.where(values == ordinal.NAN, INT64_MIN, values))
    numbers = np.add.reduceat(values != ordinal.NAN, starts, dtype=np.int64) > 0
    run_column = runs[order[starts]].tolist()
    columns = (
        run_column,
        arrived.keys[order[starts]].tolist(),
        [experiments[run] for run in run_column],
        steps[last].tolist(),
        times[last].tolist(),
        values[last].tolist(),
        *(_or_none(column, numbers) for column in (low, low_step, high, high_step)),
    )
    return list(zip(*columns, strict=True))


def _by_series(runs: Ints, keys: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order that brings each run's keys together, both ascending, and where each series begins in it."""
    low = int(keys.min())
    span = int(keys.max()) - low + 1
    # Where they fit 16 bits, numpy sorts in one linear pass. Runs ascend already.
    changes = np.flatnonzero(runs[1:] != runs[:-1]) + 1
    if (len(changes) + 1) * span <= 65_536:
        ranks = np.zeros(len(runs), np.int64)
        ranks[changes] = span
        codes = np.cumsum(ranks) + (keys - low)
        order = np.argsort(codes.astype(np.uint16), kind="stable")
    else:
        order = np.lexsort((keys, runs))
    run_column, key_column = runs[order], keys[order]
    fresh = (run_column[1:] != run_column[:-1]) | (key_column[1:] != key_column[:-1])
    return order, np.flatnonzero(np.concatenate(([True], fresh)))


def _latest_places(starts: NDArray[np.intp], steps: Ints, times: Ints, values: Ints) -> NDArray[np.intp]:
    """Where the greatest (step, timestamp, value) of each series stands."""
    ends = np.append(starts[1:], len(steps))
    sizes = ends - starts
    among = np.arange(len(steps))
    for column in (steps, times, values):
        if len(among) == len(starts):
            break
        # Each round keeps, of each series, those that reach its greatest in the next column.
        greatest = np.repeat(np.maximum.reduceat(column[among], starts), sizes)
        among = among[column[among] == greatest]
        series = np.searchsorted(ends, among, side="right")
        sizes = np.bincount(series, minlength=len(ends))
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    return among[starts]


def _extreme(which: Any, starts: NDArray[np.intp], steps: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The extreme of each series, and the first step at which it stood."""
    sizes = np.diff(np.append(starts, len(values)))
    extreme = which.reduceat(values, starts)
    there = values == np.repeat(extreme, sizes)
    return extreme, np.minimum.reduceat(np.where(there, steps, INT64_MAX), starts)


def _or_none(column: Ints, present: NDArray[np.bool_]) -> list[int | None]:
    values: list[int | None] = column.tolist()
    if present.all():
        return values
    return [value if there else None for value, there in zip(values, present.tolist(), strict=True)]


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
