"""The history of a metric, as MLflow's clients ask for it: in the order of time, in pages."""

from __future__ import annotations

import base64
import binascii
import json

import numpy as np

from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Metric
from logbuch.store import runs
from logbuch.store.metrics import ordinal, series
from logbuch.store.metrics.points import Series
from logbuch.store.tx import Tx


def packed(tx: Tx, run_id: str, key: str) -> tuple[int, series.Packed] | None:
    """The inner id of a metric's key and its packed points; None for a run or a key that does not exist."""
    try:
        head = runs.row(tx, run_id)
    except NotFound:
        return None
    id_ = tx.known_names([key]).get(key)
    return None if id_ is None else (id_, series.fetch(tx, head.id, [id_]))


def page(
    key: str, found: tuple[int, series.Packed] | None, limit: int | None, token: str
) -> tuple[list[Metric], str | None]:
    """Points by (timestamp, step, value), from after the token on, and the token of the next page."""
    if found is None:
        return [], None
    points = found[1].decode().get(found[0], Series.empty()).by_time()
    start = _position(points, token) if token else 0
    end = len(points) if limit is None else min(start + limit, len(points))
    shown = metrics(key, points[start:end])
    return shown, _token(points, end - 1) if end < len(points) else None


def metrics(key: str, points: Series) -> list[Metric]:
    """A series as nouns."""
    columns = (points.values.tolist(), points.timestamps.tolist(), points.steps.tolist())
    return [
        Metric(key=key, value=value, timestamp=timestamp, step=step)
        for value, timestamp, step in zip(*columns, strict=True)
    ]


def sample(points: Series, start_step: int | None, end_step: int | None, limit: int) -> Series:
    """At most ``limit`` points between two steps (inclusive), evenly spread, the first and the last among them."""
    if start_step is not None and end_step is not None:
        first = np.searchsorted(points.steps, start_step)
        points = points[int(first) : int(np.searchsorted(points.steps, end_step, side="right"))]
    if len(points) <= limit:
        return points
    return points[np.linspace(len(points) - 1 if limit == 1 else 0, len(points) - 1, limit).round().astype(np.intp)]


def _token(points: Series, index: int) -> str:
    value = ordinal.encode(float(points.values[index]))
    place = [int(points.timestamps[index]), int(points.steps[index]), value]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _position(points: Series, token: str) -> int:
    """How many points stand at or before a token's place."""
    try:
        timestamp, step, value = json.loads(base64.urlsafe_b64decode(token))
        if not all(isinstance(part, int) for part in (timestamp, step, value)):
            raise ValueError
    except (ValueError, TypeError, binascii.Error):
        raise InvalidInput("Invalid value for parameter 'page_token': it is no token of this server.") from None
    first = int(np.searchsorted(points.timestamps, timestamp, side="left"))
    last = int(np.searchsorted(points.timestamps, timestamp, side="right"))
    tied = points[first:last]
    ordinals = ordinal.encode_array(tied.values)
    return first + int(((tied.steps < step) | ((tied.steps == step) & (ordinals <= value))).sum())
