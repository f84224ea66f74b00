"""Charts: the rows of series for a view, with as few points read as show all that can be seen.

Where a bucket holds several stretches, their summaries stand for the points; where the view is narrower, the points of
the blocks in it are read, and summaries only say what lies outside. Blocks into which unsealed points fall are always
read, since their summaries know nothing of those points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logbuch.store.metrics import blocks, buckets, series
from logbuch.store.metrics.blocks import Segment
from logbuch.store.metrics.buckets import Buckets, View
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.rows import STRETCH, Axis, Rows
from logbuch.store.metrics.series import Outline
from logbuch.store.tx import Tx

STRETCHES = 3
"""Stretches that a bucket has to hold at least for summaries to stand for points."""

Summaries = Mapping[int, tuple[bool, NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Line:
    """One series for a view: its rows, as far as the view needs them, and the extent and points of all of it."""

    rows: Rows
    low: float
    high: float
    points: int


def tables(tx: Tx, run: int, keys: Sequence[int], axis: Axis, view: View, origin: int = 0) -> dict[int, Buckets]:
    """The buckets of these keys of a run; keys without points are left out. ``origin``: see :func:`lines`."""
    return {
        key: Buckets(buckets.table(line.rows, view, line.low, line.high), line.points, line.low, line.high)
        for key, line in lines(tx, run, keys, axis, view, origin).items()
    }


def lines(tx: Tx, run: int, keys: Sequence[int], axis: Axis, view: View, origin: int = 0) -> dict[int, Line]:
    """These keys of a run as rows, fine where the view needs it; keys without points are left out.

    ``origin`` is the run's start in ms, from which the axis ``relative`` counts.
    """
    return drawn(tx, series.outlines(tx, run, keys), axis, view, origin)


def drawn(tx: Tx, found: Mapping[int, Outline], axis: Axis, view: View, origin: int = 0) -> dict[int, Line]:
    """The same of outlines that were read already."""
    wide = [head.id for outline in found.values() if _is_long(outline, view) for head in outline.heads]
    summaries = blocks.read_summaries(tx, wide) if wide else {}
    needed = {key: _needed(outline, axis, view, summaries, origin) for key, outline in found.items()}
    points = blocks.read(tx, [id_ for ids in needed.values() for id_ in ids])
    made = {}
    for key, outline in found.items():
        pieces = _pieces(outline, axis, summaries, points, origin)
        if not _ascend(pieces):  # a time, in whose order all points have to be sorted
            points |= blocks.read(tx, [head.id for head in outline.heads if head.id not in points])
            pieces = _pieces(outline, axis, {}, points, origin)
        if pieces:
            made[key] = _line(pieces, view)
    return made


def _ascend(pieces: Sequence[Rows]) -> bool:
    within = all((piece.x[1:] >= piece.x_last[:-1]).all() for piece in pieces)
    return within and all(after.x[0] >= before.x_last[-1] for before, after in pairwise(pieces))


def _line(pieces: Sequence[Rows], view: View) -> Line:
    low, high = float(pieces[0].x[0]), float(pieces[-1].x_last[-1])
    start = -np.inf if view.start is None or view.smoothing else view.start
    end = np.inf if view.end is None else view.end
    shown = [piece for piece in pieces if piece.x_last[-1] >= start and piece.x[0] <= end]
    rows = Rows.concat(shown) if shown else pieces[0][:0]
    return Line(rows, low, high, sum(piece.points for piece in pieces))


def _is_long(outline: Outline, view: View) -> bool:
    """Whether not every point has to be read: there are too many for the view, or it shows a part."""
    heads = outline.heads
    whole = view.start is None and view.end is None
    return sum(head.points for head in heads) > fine(view) if whole else len(heads) > 1


def fine(view: View) -> int:
    """How many points a view can hold before summaries stand for them."""
    return view.count * STRETCHES * STRETCH


def _needed(outline: Outline, axis: Axis, view: View, summaries: Summaries, origin: int) -> set[int]:
    """The ids of the blocks whose points have to be read."""
    needed: set[int] = set()
    clean: list[int] = []
    inside: list[tuple[int, int]] = []
    for part in outline.parts:
        for head in part.blocks:
            summary = summaries.get(head.id)
            if part.arrived or summary is None or (axis != "step" and not summary[0]):
                needed.add(head.id)
                continue
            if shown := _stretches_between(summary[1], axis, view, origin):
                inside.append((len(clean), shown))
            clean.append(head.id)
    if inside and sum(shown for _, shown in inside) * STRETCH <= fine(view):
        # The average at the view's left border hangs on what was just before.
        first = inside[0][0] - 1 if view.smoothing and inside[0][0] else inside[0][0]
        needed.update(clean[first : inside[-1][0] + 1])
    return needed


def _stretches_between(records: NDArray[Any], axis: Axis, view: View, origin: int) -> int:
    """How many stretches of a block reach into the view."""
    first, last = ("first_step", "last_step") if axis == "step" else ("first_time", "last_time")
    shift = origin if axis == "relative" else 0
    low = -np.inf if view.start is None else view.start + shift
    high = np.inf if view.end is None else view.end + shift
    begin, end = records[first], records[last]
    if begin[0] > high or end[-1] < low:
        return 0
    if begin[0] >= low and end[-1] <= high:
        return len(records)
    return int(((end >= low) & (begin <= high)).sum())


def _pieces(
    outline: Outline, axis: Axis, summaries: Summaries, points: Mapping[int, Series], origin: int
) -> list[Rows]:
    """The parts of a series as rows, in the order of steps: neighbours of one kind make one piece."""
    pieces: list[Rows] = []
    for summed, parts in groupby(outline.parts, lambda part: _summed(part, summaries, points)):
        if summed:
            records = [summaries[part.blocks[0].id][1] for part in parts]
            pieces.append(Rows.of_summary(np.concatenate(records), axis, origin))
        else:
            read = Series.concat([_points(part, outline, points) for part in parts])
            pieces += [Rows.of_points(read, axis, origin)] if len(read) else []
    return pieces


def _summed(part: Segment, summaries: Summaries, points: Mapping[int, Series]) -> bool:
    return not part.arrived and part.blocks[0].id not in points and part.blocks[0].id in summaries


def _points(part: Segment, outline: Outline, points: Mapping[int, Series]) -> Series:
    known = [points[head.id] for head in part.blocks if head.id in points]
    return Series.union([*known, outline.late[part.start : part.end]])
