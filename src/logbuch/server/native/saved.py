"""Saved views of experiments' pages."""

from __future__ import annotations

from typing import Any

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import views
from logbuch.wire import bulk as wire


async def list_all(context: Context, request: wire.ViewsRequest) -> Any:
    return {"views": await context.read(views.of_experiment, request.experiment_id)}


async def create(context: Context, request: wire.CreateView) -> Any:
    return {"view": await context.write(views.create, request.experiment_id, request.name, request.state)}


async def change(context: Context, request: wire.ChangeView) -> Any:
    return {"view": await context.write(views.change, request.view_id, request.name, request.state)}


async def remove(context: Context, request: wire.RemoveView) -> Any:
    await context.write(views.remove, request.view_id)
    return {}


async def set_default(context: Context, request: wire.DefaultView) -> Any:
    await context.write(views.set_default, request.experiment_id, request.view_id)
    return {}


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("GET", "/views", wire.ViewsRequest, _READ, list_all, "Saved views of an experiment"),
    Route("POST", "/views/create", wire.CreateView, _WRITE, create, "Save a view"),
    Route("POST", "/views/update", wire.ChangeView, _WRITE, change, "Rename a view, or save another state under it"),
    Route("POST", "/views/delete", wire.RemoveView, _WRITE, remove, "Remove a view"),
    Route(
        "POST", "/views/set-default", wire.DefaultView, _WRITE, set_default, "Choose the view an experiment opens with"
    ),
)
