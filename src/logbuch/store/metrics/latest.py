"""The latest value of every metric of a run, and its least and greatest: what searches, tables and comparisons read.

MLflow's "latest" is the greatest (step, timestamp, value), not the last written. Least and greatest leave NaN out, and
remember the first step at which they stood.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, case, or_

from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import Metric
from logbuch.store import schema
from logbuch.store.metrics import ordinal, rounds, sorting
from logbuch.store.metrics.arriving import Arrival, Arrived
from logbuch.store.metrics.points import find_rounds
from logbuch.store.metrics.rounds import Rounds
from logbuch.store.metrics.sorting import Places
from logbuch.store.query.columns import Columns, OfRuns
from logbuch.store.tx import Tx

_table = schema.latest
_COLUMNS = ("run", "key", "experiment", "step", "timestamp", "value", "min", "min_step", "max", "max_step")
Ints = NDArray[np.int64]
Row = tuple[int | None, ...]
_key = attrgetter("key")
_place = itemgetter(0, 1)
OF_RUNS = OfRuns(_table.c.run, _table.c.key, _table.c.value, _table.c.timestamp, _table.c.step)


class OfRun(NamedTuple):
    """Points of one run that came in rounds; no key is in their table twice."""

    run: int
    table: Rounds

    def arrived(self) -> Arrived:
        return Arrived.of([Arrival(self.run, "", *self.table.spread())])


def update(tx: Tx, parts: Iterable[Arrived | OfRun], experiments: Mapping[int, int]) -> None:
    """Merges points into the table, in (run, key) order; each run is in one of the parts only."""
    rows = [row for part in parts for row in _summaries(part, experiments)]
    rows.sort(key=_place)
    tx.insert_rows(tx.seam.upsert(_table, _merged), _COLUMNS, rows)


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


def _summaries(part: Arrived | OfRun, experiments: Mapping[int, int]) -> list[Row]:
    """For each run and key a row of the table: the latest point, the least and the greatest value."""
    if isinstance(part, OfRun):
        return _of_rounds(part, experiments[part.run]) or _of_any(part.arrived(), experiments)
    table = find_rounds(part.keys, part.points) if len(part.runs) == 1 else None
    table = rounds.joined([table]) if table is not None else None
    found = _of_rounds(OfRun(part.runs[0], table), experiments[part.runs[0]]) if table is not None else []
    return found or _of_any(part, experiments)


def _of_rounds(part: OfRun, experiment: int) -> list[Row]:
    """The rows of rounds at ascending steps, as those of most trainings are: nothing has to be sorted. Empty for all
    others."""
    table = part.table
    if np.isnan(table.values).any() or not (table.steps[1:] > table.steps[:-1]).all():
        return []
    values, steps, times = ordinal.encode_array(table.values), table.whole(table.steps), table.whole(table.timestamps)
    across = np.arange(values.shape[1])
    # Of equal values these are the places of the first, which stands at the least step.
    low, high = values.argmin(axis=0), values.argmax(axis=0)
    extremes = [column[places, across] for places in (low, high) for column in (values, steps)]
    columns = (table.keys, steps[-1], times[-1], values[-1], *extremes)
    return [(part.run, key, experiment, *rest) for key, *rest in zip(*(c.tolist() for c in columns), strict=True)]


def _of_any(arrived: Arrived, experiments: Mapping[int, int]) -> list[Row]:
    order, starts, runs, keys = _by_series(arrived)
    points = arrived.points
    steps, times = points.steps[order], points.timestamps[order]
    values = ordinal.encode_array(points.values)[order]
    odd = values == ordinal.NAN
    any_odd = bool(odd.any())
    sizes = np.diff(starts, append=len(values))
    last = _latest_places(starts, sizes, steps, times, values)
    low, low_step = _extreme(np.minimum, starts, sizes, steps, np.where(odd, INT64_MAX, values) if any_odd else values)
    high, high_step = _extreme(
        np.maximum, starts, sizes, steps, np.where(odd, INT64_MIN, values) if any_odd else values
    )
    extremes: list[list[int | None]] = [column.tolist() for column in (low, low_step, high, high_step)]
    if any_odd:
        numbers = (np.add.reduceat(odd, starts, dtype=np.int64) < sizes).tolist()
        extremes = [
            [value if known else None for value, known in zip(column, numbers, strict=True)] for column in extremes
        ]
    columns = (
        runs,
        keys.tolist(),
        [experiments[run] for run in runs],
        *(column[last].tolist() for column in (steps, times, values)),
        *extremes,
    )
    return list(zip(*columns, strict=True))


def _by_series(arrived: Arrived) -> tuple[Places, Places, list[int], Ints]:
    """The order that brings each run's keys together, both ascending; where each series begins in it; run and key."""
    low = int(arrived.keys.min())
    span = int(arrived.keys.max()) - low + 1
    codes = arrived.keys - low
    if len(arrived.runs) > 1:
        codes += np.repeat(span * np.arange(len(arrived.runs)), np.diff(arrived.starts, append=len(codes)))
    order = sorting.together(codes, len(arrived.runs) * span)
    arranged = codes[order]
    starts = np.flatnonzero(np.concatenate(([True], arranged[1:] != arranged[:-1])))
    found = arranged[starts]
    return order, starts, [arrived.runs[rank] for rank in (found // span).tolist()], found % span + low


def by_key(arrived: Arrived) -> tuple[Places, list[int], list[int]]:
    """The order that brings the keys of one run together, where each begins in it, and which they are."""
    order, starts, _, keys = _by_series(arrived)
    return order, starts.tolist(), keys.tolist()


def _latest_places(starts: Places, sizes: Places, steps: Ints, times: Ints, values: Ints) -> Places:
    """Where the greatest (step, timestamp, value) of each series stands."""
    ascending = steps[1:] > steps[:-1]
    ascending[starts[1:] - 1] = True
    ends = starts + sizes
    if ascending.all():
        last: Places = ends - 1
        return last
    among = np.arange(len(steps))
    for column in (steps, times, values):
        # Each round keeps, of each series, those that reach its greatest in the next column.
        greatest = np.repeat(np.maximum.reduceat(column[among], starts), sizes)
        among = among[column[among] == greatest]
        sizes = np.bincount(np.searchsorted(ends, among, side="right"), minlength=len(ends))
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    return among[starts]


def _extreme(which: Any, starts: Places, sizes: Places, steps: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The extreme of each series, and the first step at which it stood."""
    extreme = which.reduceat(values, starts)
    there = values == np.repeat(extreme, sizes)
    return extreme, np.minimum.reduceat(np.where(there, steps, INT64_MAX), starts)


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
