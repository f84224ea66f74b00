"""logged-models/*: what MLflow 3 asks for while it lists artifacts."""

from __future__ import annotations

from typing import Any

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.wire import mlflow as wire


async def find(context: Context, request: wire.SearchLoggedModels) -> Any:  # noqa: ARG001
    """No model is ever logged on this server, so none is found. MLflow 3 clients look before they list a folder."""
    return {}


ROUTES = (
    Route("POST", "/logged-models/search", wire.SearchLoggedModels, Permission.READ, find, "Search logged models"),
)
