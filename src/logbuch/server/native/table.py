"""The runs table: pages in columns, the keys to choose from, and everything as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from logbuch import limits
from logbuch.server.context import Context
from logbuch.server.native import sheets
from logbuch.server.native.views import view_type
from logbuch.server.routes import Permission, Route
from logbuch.store import search, table
from logbuch.wire import native as wire

_HEAD = ("run_id", "name", "experiment_id", "status", "start_time", "end_time", "user")
_CSV_PAGE = 1000


async def page(context: Context, request: wire.TableRequest) -> Any:
    limits.check_page_size(request.max_results, "max_results", wire.TABLE_PAGE)
    query = search.RunQuery(
        request.experiment_ids, request.filter, request.order_by, view_type(request.view), request.run_ids, by_size=True
    )
    found = await context.read(table.page, query, request.columns, request.max_results, request.page_token)
    columns = {
        name: {part: wire.column(values) for part, values in column.items()} for name, column in found.columns.items()
    }
    return msgspec.structs.asdict(found) | {"columns": columns}


async def keys(context: Context, request: wire.ColumnsRequest) -> Any:
    found = await context.catalog.of_experiments(request.experiment_id)
    metrics = [{"key": use.key, "runs": use.runs} for use in found.metrics]
    return {"runs": found.runs, "metrics": metrics, "params": found.params, "tags": found.tags}


async def as_csv(context: Context, request: wire.CsvRequest) -> Response:
    query = search.RunQuery(
        request.experiment_id, request.filter, request.order_by, view_type(request.view), request.run_id, by_size=True
    )
    known = await context.catalog.of_experiments(request.experiment_id)
    columns = [f"{kind}.{use.key}" for kind in ("params", "metrics", "tags") for use in getattr(known, kind)]
    # The first page is read before the answer begins, so that a wrong filter is an error and no torn file.
    first = await context.read(table.page, query, columns[: limits.TABLE_COLUMNS], _CSV_PAGE, "")
    rows = _rows(context, query, columns[: limits.TABLE_COLUMNS], first)
    return sheets.answer("runs.csv", rows)


async def _rows(
    context: Context, query: search.RunQuery, columns: Sequence[str], found: table.Page
) -> AsyncIterator[bytes]:
    yield sheets.lines([[*_HEAD, *columns]])
    while True:
        yield sheets.lines([_row(found, index, columns) for index in range(len(found.runs))])
        if found.next_page_token is None:
            return
        found = await context.read(table.page, query, columns, _CSV_PAGE, found.next_page_token)


def _row(found: table.Page, index: int, columns: Sequence[str]) -> list[Any]:
    head = [getattr(found.runs[index], name) for name in _HEAD]
    parts = ("last" if name.startswith("metrics.") else "value" for name in columns)
    return head + [found.columns[name][part][index] for name, part in zip(columns, parts, strict=True)]


_READ = Permission.READ
ROUTES = (
    Route("POST", "/runs/table", wire.TableRequest, _READ, page, "A page of the runs table, in columns"),
    Route("GET", "/runs/columns", wire.ColumnsRequest, _READ, keys, "The keys that runs have logged"),
    Route("GET", "/runs.csv", wire.CsvRequest, _READ, as_csv, "Runs as CSV"),
)
