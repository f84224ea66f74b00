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
from logbuch.store.metrics import buckets, series
from logbuch.store.tx import Tx
from logbuch.wire import native as wire


async def draw(context: Context, request: wire.BucketsRequest) -> Response:
    _check(request)
    tables = await context.call(_tables, context, request, wire.check_axis(request.x))
    body = wire.bucket_tables(request.x, buckets.COLUMNS, tables)
    return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})


def _tables(context: Context, request: wire.BucketsRequest, axis: wire.Axis) -> list[wire.SeriesTable]:
    tables: list[wire.SeriesTable] = []
    for run_id in dict.fromkeys(request.run_ids):
        names, origin, packed = context.store.read(_fetch, run_id, tuple(dict.fromkeys(request.keys)))
        decoded = packed.decode()
        for id_, key in names.items():
            if id_ in decoded:
                found = buckets.summarize(
                    decoded[id_], axis, request.buckets, request.start, request.end, request.smoothing, origin
                )
                tables += [] if found is None else [_table(run_id, key, found)]
    return tables


def _fetch(tx: Tx, run_id: str, keys: Sequence[str]) -> tuple[dict[int, str], int, series.Packed]:
    head = runs.row(tx, run_id)
    names = {id_: name for name, id_ in tx.known_names(keys).items()}
    return names, head.start_time, series.fetch(tx, head.id, list(names))


def _table(run_id: str, key: str, found: buckets.Buckets) -> wire.SeriesTable:
    columns: Any = np.ascontiguousarray(found.table, "<f8")
    return wire.SeriesTable(
        run_id, key, found.table.shape[1], found.points, found.x_min, found.x_max, columns.tobytes()
    )


def _check(request: wire.BucketsRequest) -> None:
    if not 1 <= request.buckets <= limits.BUCKETS:
        raise InvalidInput(f"Invalid value {request.buckets} for parameter 'buckets': 1 to {limits.BUCKETS}.")
    if not 0 <= request.smoothing < 1:
        raise InvalidInput(f"Invalid value {request.smoothing} for parameter 'smoothing': 0 to below 1.")
    if len(request.run_ids) * len(request.keys) > limits.BUCKET_SERIES:
        raise InvalidInput(f"At most {limits.BUCKET_SERIES} series (run_ids times keys) can be asked for at once.")
    for name, value in (("start", request.start), ("end", request.end)):
        if value is not None and not np.isfinite(value):
            raise InvalidInput(f"Invalid value {value} for parameter '{name}': it must be a finite number.")


ROUTES = (
    Route("POST", "/metrics/buckets", wire.BucketsRequest, Permission.READ, draw, "Buckets of series for charts"),
)
