"""How much runs hold, for whoever moves them here."""

from __future__ import annotations

from typing import Any

from logbuch import limits
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import census
from logbuch.wire import bulk as wire


async def count(context: Context, request: wire.RunsRequest) -> Any:
    limits.check_ids(request.run_ids, "run_ids")
    return {"runs": await context.read(census.of_runs, request.run_ids)}


ROUTES = (Route("POST", "/runs/census", wire.RunsRequest, Permission.READ, count, "How much of each kind runs hold"),)
"""Runs that do not exist are left out of the answer."""
