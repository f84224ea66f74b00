"""The runs table: pages in columns, and the keys to choose from."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch import limits
from logbuch.server.context import Context
from logbuch.server.native.views import view_type
from logbuch.server.routes import Permission, Route
from logbuch.store import search, table
from logbuch.wire import native as wire


async def page(context: Context, request: wire.TableRequest) -> Any:
    limits.check_page_size(request.max_results, "max_results", wire.TABLE_PAGE)
    query = search.RunQuery(
        request.experiment_ids, request.filter, request.order_by, view_type(request.view), request.run_ids, by_size=True
    )
    parts = table.METRIC_PARTS if request.parts is None else request.parts
    found = await context.read(
        table.page, query, request.columns, request.max_results, request.page_token, request.offset, parts
    )
    columns = {
        name: {part: wire.column(values) for part, values in column.items()} for name, column in found.columns.items()
    }
    return msgspec.structs.asdict(found) | {"columns": columns}


async def keys(context: Context, request: wire.ColumnsRequest) -> Any:
    partial = False
    if request.quick:
        found, partial = await context.catalog.at_once(request.experiment_id)
    else:
        found = await context.catalog.of_experiments(request.experiment_id)
    metrics = [{"key": use.key, "runs": use.runs} for use in found.metrics]
    answer = {"runs": found.runs, "metrics": metrics, "params": found.params, "tags": found.tags}
    return answer | ({"partial": True} if partial else {})


_READ = Permission.READ
ROUTES = (
    Route("POST", "/runs/table", wire.TableRequest, _READ, page, "A page of the runs table, in columns"),
    Route("GET", "/runs/columns", wire.ColumnsRequest, _READ, keys, "The keys that runs have logged"),
)
