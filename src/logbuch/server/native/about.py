"""What the page has to know of its server."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.version import __version__


async def info(context: Context, request: Request) -> Any:  # noqa: ARG001
    return {"version": __version__, "login": False, "exposed": context.options.exposed, "store_id": context.store.id}


ROUTES = (Route("GET", "/server-info", None, Permission.READ, info, "Version and state of the server"),)
