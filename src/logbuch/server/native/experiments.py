"""Experiments for the page: all of them, with the number of their runs."""

from __future__ import annotations

from typing import Any

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import activity, table
from logbuch.wire import native as wire
from logbuch.wire.native import view_type


async def list_all(context: Context, request: wire.ListExperiments) -> Any:
    return {"experiments": await context.read(table.experiments, view_type(request.view))}


async def activity_by_day(context: Context, request: wire.ActivityRequest) -> Any:
    found = await context.read(activity.by_day, request.since, request.days)
    return {"since": request.since, "experiments": found}


ROUTES = (
    Route("GET", "/experiments", wire.ListExperiments, Permission.READ, list_all, "All experiments with run counts"),
    Route(
        "GET",
        "/experiments/activity",
        wire.ActivityRequest,
        Permission.READ,
        activity_by_day,
        "Runs begun a day, by experiment",
    ),
)
