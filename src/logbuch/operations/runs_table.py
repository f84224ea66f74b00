"""The runs table: a page of it, in columns."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch import limits
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store import search, table
from logbuch.store.tx import Tx
from logbuch.wire import native as wire


def _page(tx: Tx, request: wire.TableRequest, by: Caller) -> dict[str, Any]:  # noqa: ARG001
    limits.check_page_size(request.max_results, "max_results", wire.TABLE_PAGE)
    query = search.RunQuery(
        request.experiment_ids, request.filter, request.order_by, wire.view_type(request.view), request.run_ids,
        by_size=True,
    )  # fmt: skip
    parts = table.METRIC_PARTS if request.parts is None else request.parts
    found = table.page(tx, query, request.columns, request.max_results, request.page_token, request.offset, parts)
    columns = {
        name: {part: wire.column(values) for part, values in column.items()} for name, column in found.columns.items()
    }
    return msgspec.structs.asdict(found) | {"columns": columns}


OPERATIONS = (
    Operation("POST", "/runs/table", wire.TableRequest, False, _page, "A page of the runs table, in columns"),
)
