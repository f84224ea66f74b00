"""Charts: buckets of many runs and many metrics in one binary answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.responses import Response

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import runs
from logbuch.store.metrics import charts
from logbuch.store.metrics.buckets import COLUMNS, Buckets, View
from logbuch.store.tx import Tx
from logbuch.wire import native as wire


async def draw(context: Context, request: wire.BucketsRequest) -> Response:
    _check(request)
    tables = await context.call(_tables, context, request, wire.check_axis(request.x))
    body = wire.bucket_tables(request.x, COLUMNS, tables)
    return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})


def _tables(context: Context, request: wire.BucketsRequest, axis: wire.Axis) -> list[wire.SeriesTable]:
    view = View(request.buckets, request.start, request.end, request.smoothing)
    tables: list[wire.SeriesTable] = []
    for run_id in dict.fromkeys(request.run_ids):
        found = context.store.read(_of_run, run_id, tuple(dict.fromkeys(request.keys)), axis, view)
        tables += [_table(run_id, key, part) for key, part in found]
    return tables


def _of_run(tx: Tx, run_id: str, keys: Sequence[str], axis: wire.Axis, view: View) -> list[tuple[str, Buckets]]:
    head = runs.row(tx, run_id)
    ids = tx.known_names(keys)
    found = charts.tables(tx, head.id, list(ids.values()), axis, view, head.start_time)
    return [(key, found[id_]) for key, id_ in ids.items() if id_ in found]


def _table(run_id: str, key: str, found: Buckets) -> wire.SeriesTable:
    columns: Any = np.ascontiguousarray(found.table, "<f8")
    return wire.SeriesTable(
        run_id, key, found.table.shape[1], found.points, found.x_min, found.x_max, columns.tobytes()
    )


def _check(request: wire.BucketsRequest) -> None:
    check_view(request.buckets, request.start, request.end)
    if not 0 <= request.smoothing < 1:
        raise InvalidInput(f"Invalid value {request.smoothing} for parameter 'smoothing': 0 to below 1.")
    if len(request.run_ids) * len(request.keys) > limits.BUCKET_SERIES:
        raise InvalidInput(f"At most {limits.BUCKET_SERIES} series (run_ids times keys) can be asked for at once.")


def check_view(count: int, start: float | None, end: float | None) -> None:
    """What a request may ask of buckets: how many, and between which finite numbers."""
    if not 1 <= count <= limits.BUCKETS:
        raise InvalidInput(f"Invalid value {count} for parameter 'buckets': 1 to {limits.BUCKETS}.")
    for name, value in (("start", start), ("end", end)):
        if value is not None and not np.isfinite(value):
            raise InvalidInput(f"Invalid value {value} for parameter '{name}': it must be a finite number.")


ROUTES = (
    Route("POST", "/metrics/buckets", wire.BucketsRequest, Permission.READ, draw, "Buckets of series for charts"),
)
