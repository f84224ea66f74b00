"""The keys that the columns of the runs table are chosen from; its pages are an operation."""

from __future__ import annotations

from typing import Any

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.wire import native as wire


async def keys(context: Context, request: wire.ColumnsRequest) -> Any:
    partial = False
    if request.quick:
        found, partial = await context.catalog.at_once(request.experiment_id)
    else:
        found = await context.catalog.of_experiments(request.experiment_id)
    metrics = [{"key": use.key, "runs": use.runs} for use in found.metrics]
    answer = {"runs": found.runs, "metrics": metrics, "params": found.params, "tags": found.tags}
    return answer | ({"partial": True} if partial else {})


ROUTES = (Route("GET", "/runs/columns", wire.ColumnsRequest, Permission.READ, keys, "The keys that runs have logged"),)
