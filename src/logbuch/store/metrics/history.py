"""The history of a metric, as MLflow's clients ask for it: in the order of time, in pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from logbuch.errors import InvalidInput
from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import Metric
from logbuch.store.metrics import blocks, ordinal, series
from logbuch.store.metrics.blocks import Segment
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.series import Outline
from logbuch.store.tx import Tx

Place = tuple[int, int, int]
"""Where a page ended: the timestamp, step and ordinal of its last point."""


def page(tx: Tx, run_id: str, key: str, limit: int | None, token: str = "") -> tuple[Series, str | None]:
    """Points by (timestamp, step, value), from after the token on, and the token of the next page.

    Only the blocks that the page needs are read, where time ascends from block to block as it does while a training
    runs. A run or key that does not exist has no points.
    """
    after = _place(token) if token else None
    found = series.find(tx, run_id, key)
    outline = series.outlines(tx, found[0], [found[1]]).get(found[1]) if found else None
    if outline is None:
        return Series.empty(), None
    parts: list[Series] = []
    count = 0
    for points in _by_time(tx, outline, after):
        left = points[_passed(points, after) :] if after else points
        parts.append(left)
        count += len(left)
        if limit is not None and count > limit:
            break
    points = Series.concat(parts)
    if limit is None or count <= limit:
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


def _by_time(tx: Tx, outline: Outline, after: Place | None) -> Iterator[Series]:
    """The series in stretches, each and all together in the order of time, from the one with the place on."""
    summaries = blocks.read_summaries(tx, [head.id for head in outline.heads])
    spans: list[tuple[int, int]] = []
    read: dict[int, Series] = {}
    for number, part in enumerate(outline.parts):
        summary = None if part.arrived else summaries.get(part.blocks[0].id)
        if summary is not None and summary[0]:
            spans.append((int(summary[1]["first_time"][0]), int(summary[1]["last_time"][-1])))
        else:
            read[number] = points = _points(tx, outline, part).by_time()
            spans.append((int(points.timestamps[0]), int(points.timestamps[-1])))
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        yield _points(tx, outline, Segment(outline.heads, 0, len(outline.late))).by_time()
        return
    for number, (part, span) in enumerate(zip(outline.parts, spans, strict=True)):
        if after is None or span[1] >= after[0]:
            yield read[number] if number in read else _points(tx, outline, part).by_time()


def _points(tx: Tx, outline: Outline, part: Segment) -> Series:
    points = blocks.read(tx, [head.id for head in part.blocks])
    return Series.union([*(points[head.id] for head in part.blocks), outline.late[part.start : part.end]])


def _token(points: Series, index: int) -> str:
    value = ordinal.encode(float(points.values[index]))
    place = [int(points.timestamps[index]), int(points.steps[index]), value]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(token: str) -> Place:
    try:
        timestamp, step, value = json.loads(base64.urlsafe_b64decode(token))
        if not all(type(part) is int and INT64_MIN <= part <= INT64_MAX for part in (timestamp, step, value)):
            raise ValueError
    except (ValueError, TypeError, binascii.Error):
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
