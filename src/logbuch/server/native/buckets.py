"""Charts: buckets of many runs and many metrics in one binary answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.responses import Response

from logbuch.operations import outlines
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store.metrics.buckets import COLUMNS, Buckets, View
from logbuch.wire import native as wire


async def draw(context: Context, request: wire.BucketsRequest) -> Response:
    outlines.check(request)
    tables = await context.call(_tables, context, request, wire.check_axis(request.x))
    body = wire.bucket_tables(request.x, COLUMNS, tables)
    return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})


def _tables(context: Context, request: wire.BucketsRequest, axis: wire.Axis) -> list[wire.SeriesTable]:
    view = View(request.buckets, request.start, request.end, request.smoothing)
    tables: list[wire.SeriesTable] = []
    for run_id in dict.fromkeys(request.run_ids):
        found = context.store.read(outlines.of_run, run_id, tuple(dict.fromkeys(request.keys)), axis, view)
        tables += [_table(run_id, key, part) for key, part in found]
    return tables


def _table(run_id: str, key: str, found: Buckets) -> wire.SeriesTable:
    columns: Any = np.ascontiguousarray(found.table, "<f8")
    return wire.SeriesTable(
        run_id, key, found.table.shape[1], found.points, found.x_min, found.x_max, columns.tobytes()
    )


ROUTES = (
    Route("POST", "/metrics/buckets", wire.BucketsRequest, Permission.READ, draw, "Buckets of series for charts"),
)
