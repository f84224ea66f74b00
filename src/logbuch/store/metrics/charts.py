"""Charts: the rows of series for a view, with as few points read as show all that can be seen.

Where a bucket holds several stretches, their summaries stand for the points; where the view is narrower, the points of
the blocks in it are read, and summaries only say what lies outside. Blocks into which unsealed points fall are always
read, since their summaries know nothing of those points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics import blocks, buckets, series
from logbuch.store.metrics.blocks import Head
from logbuch.store.metrics.buckets import Buckets, View
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.rows import STRETCH, Axis, Rows
from logbuch.store.metrics.series import Outline
from logbuch.store.tx import Tx

STRETCHES = 4
"""Stretches that a bucket has to hold at least for summaries to stand for points."""

Summaries = Mapping[int, tuple[bool, NDArray[Any]]]


def tables(tx: Tx, run: int, keys: Sequence[int], axis: Axis, view: View, origin: int = 0) -> dict[int, Buckets]:
    """The buckets of these keys of a run; keys without points are left out. ``origin``: see :func:`lines`."""
    found = {}
    for key, rows in lines(tx, run, keys, axis, view, origin).items():
        low, high = float(rows.x[0]), float(rows.x_last[-1])
        found[key] = Buckets(buckets.table(rows, view, low, high), rows.points, low, high)
    return found


def lines(tx: Tx, run: int, keys: Sequence[int], axis: Axis, view: View, origin: int = 0) -> dict[int, Rows]:
    """The whole series of these keys as rows, fine where the view needs it.

    ``origin`` is the run's start in ms, from which the axis ``relative`` counts.
    """
    found = series.outlines(tx, run, keys)
    wide = [head.id for outline in found.values() if _is_long(outline, view) for head in outline.heads]
    summaries = blocks.read_summaries(tx, wide) if wide else {}
    needed = {key: _needed(outline, axis, view, summaries, origin) for key, outline in found.items()}
    points = blocks.read(tx, [id_ for ids in needed.values() for id_ in ids])
    made = {}
    for key, outline in found.items():
        rows = _rows(outline, axis, summaries, points, origin)
        if rows is None:  # time does not ascend from part to part: all points have to be sorted
            points |= blocks.read(tx, [head.id for head in outline.heads if head.id not in points])
            rows = Rows.of_points(_joined(outline.late, outline.heads, points), axis, origin)
        made[key] = rows
    return made


def _is_long(outline: Outline, view: View) -> bool:
    """Whether not every point has to be read: there are too many for the view, or it shows a part."""
    heads = outline.heads
    whole = view.start is None and view.end is None
    return len(heads) > 1 and (not whole or sum(head.points for head in heads) > _fine(view))


def _fine(view: View) -> int:
    """How many points a view can hold before summaries stand for them."""
    return view.count * STRETCHES * STRETCH


def _needed(outline: Outline, axis: Axis, view: View, summaries: Summaries, origin: int) -> set[int]:
    """The ids of the blocks whose points have to be read."""
    needed, clean = set(), []
    for part in outline.parts:
        for head in part.blocks:
            summary = summaries.get(head.id)
            if part.arrived or summary is None or (axis != "step" and not summary[0]):
                needed.add(head.id)
            else:
                clean.append((head.id, Rows.of_summary(summary[1], axis, origin)))
    inside = [(place, _points_between(rows, view)) for place, (_, rows) in enumerate(clean)]
    inside = [(place, points) for place, points in inside if points]
    if inside and sum(points for _, points in inside) <= _fine(view):
        # The average at the view's left border hangs on what was just before.
        first = inside[0][0] - 1 if view.smoothing and inside[0][0] else inside[0][0]
        needed |= {clean[place][0] for place in range(first, inside[-1][0] + 1)}
    return needed


def _points_between(rows: Rows, view: View) -> int:
    low = -np.inf if view.start is None else view.start
    high = np.inf if view.end is None else view.end
    if rows.x[0] > high or rows.x_last[-1] < low:
        return 0
    return STRETCH * int(((rows.x_last >= low) & (rows.x <= high)).sum())


def _rows(outline: Outline, axis: Axis, summaries: Summaries, points: Mapping[int, Series], origin: int) -> Rows | None:
    """The parts of a series as rows; None where the axis is a time that does not ascend from part to part."""
    parts = []
    for part in outline.parts:
        if not part.arrived and part.blocks[0].id not in points:
            parts.append(Rows.of_summary(summaries[part.blocks[0].id][1], axis, origin))
        else:
            parts.append(
                Rows.of_points(_joined(outline.late[part.start : part.end], part.blocks, points), axis, origin)
            )
    if any(after.x[0] < before.x_last[-1] for before, after in pairwise(parts)):
        return None
    return Rows.concat(parts)


def _joined(late: Series, heads: Sequence[Head], points: Mapping[int, Series]) -> Series:
    return Series.concat([*(points[head.id] for head in heads), *([late] if len(late) else [])]).ordered()
