"""The history of a metric, as MLflow's clients ask for it: in the order of time, in pages."""

from __future__ import annotations

import base64
import binascii
import json

import numpy as np

from logbuch.errors import InvalidInput
from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import Metric
from logbuch.store.metrics import blocks, ordinal, series
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.series import Outline
from logbuch.store.tx import Tx, beside_latest

Place = tuple[int, int, int]
"""Where a page ended: the timestamp, step and ordinal of its last point."""


@beside_latest
def page(tx: Tx, run_id: str, key: str, limit: int | None, token: str = "") -> tuple[Series, str | None]:
    """Points by (timestamp, step, value), from after the token on, and the token of the next page.

    Only the blocks that the page needs are read, by the times that they span. A run or key that does not exist has no
    points.
    """
    after = _place(token) if token else None
    found = series.find(tx, run_id, key)
    outline = series.outlines(tx, found[0], [found[1]]).get(found[1]) if found else None
    if outline is None:
        return Series.empty(), None
    points = _after(tx, outline, after, limit)
    if limit is None or len(points) <= limit:
        return points, None
    return points[:limit], _token(points, limit - 1)


def metrics(key: str, points: Series) -> list[Metric]:
    """A series as nouns."""
    columns = (points.values.tolist(), points.timestamps.tolist(), points.steps.tolist())
    return [
        Metric(key=key, value=value, timestamp=timestamp, step=step)
        for value, timestamp, step in zip(*columns, strict=True)
    ]


def sample(points: Series, limit: int) -> Series:
    """At most ``limit`` points, evenly spread, the first and the last among them."""
    if len(points) <= limit:
        return points
    return points[np.linspace(len(points) - 1 if limit == 1 else 0, len(points) - 1, limit).round().astype(np.intp)]


def _after(tx: Tx, outline: Outline, after: Place | None, limit: int | None) -> Series:
    """The points after a place by (timestamp, step, value): all of them, or more than ``limit`` of the next ones.

    Blocks are read in the order of their least timestamps, until so many points are older than all that is not read.
    """
    waiting = [head for head in outline.heads if after is None or head.max_time >= after[0]]
    waiting.sort(key=lambda head: head.min_time, reverse=True)
    read = [outline.late]
    wanted = None if limit is None else limit + 1
    while True:
        ids, count = [], 0
        while waiting and (wanted is None or count < wanted):
            head = waiting.pop()
            ids.append(head.id)
            count += head.points
        read += blocks.read(tx, ids).values()
        found = Series.union(read).by_time()
        found = found[_passed(found, after) :] if after else found
        if wanted is None or not waiting:
            return found
        settled = int(np.searchsorted(found.timestamps, waiting[-1].min_time, side="left"))
        if settled >= wanted:
            return found[:settled]


def _token(points: Series, index: int) -> str:
    value = ordinal.encode(float(points.values[index]))
    place = [int(points.timestamps[index]), int(points.steps[index]), value]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(token: str) -> Place:
    try:
        timestamp, step, value = json.loads(base64.urlsafe_b64decode(token))
        if not all(type(part) is int and INT64_MIN <= part <= INT64_MAX for part in (timestamp, step, value)):
            raise ValueError
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise InvalidInput("Invalid value for parameter 'page_token': it is no token of this server.") from None
    return timestamp, step, value


def _passed(points: Series, place: Place) -> int:
    """How many points stand at or before a place."""
    timestamp, step, value = place
    first = int(np.searchsorted(points.timestamps, timestamp, side="left"))
    last = int(np.searchsorted(points.timestamps, timestamp, side="right"))
    tied = points[first:last]
    ordinals = ordinal.encode_array(tied.values)
    return first + int(((tied.steps < step) | ((tied.steps == step) & (ordinals <= value))).sum())
