"""The application: the table of routes, the page, and the layers around them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from logbuch.operations import table as operations
from logbuch.server import answers, openapi
from logbuch.server.context import Context
from logbuch.server.dispatch import Dispatcher
from logbuch.server.mlflow import (
    about,
    artifacts,
    direct,
    experiments,
    framed,
    logged_models,
    metrics,
    runs,
    webhooks,
)
from logbuch.server.native import about as native_about
from logbuch.server.native import (
    buckets,
    bulk,
    census,
    curves,
    export,
    groups,
    heartbeats,
    ingest,
    live,
    logs,
    media,
    saved,
    table,
    uploads,
)
from logbuch.server.native import experiments as native_experiments
from logbuch.server.page import Page
from logbuch.server.routes import Permission, Route
from logbuch.server.served import routes
from logbuch.store import changes
from logbuch.web.security import Security


async def _document(context: Context, request: Request) -> Response:  # noqa: ARG001
    return answers.json(openapi.document(TABLES))


TABLES: Sequence[tuple[tuple[str, ...], tuple[Route, ...]]] = (
    (
        ("/api/2.0/mlflow", "/ajax-api/2.0/mlflow"),
        (
            *experiments.ROUTES,
            *runs.ROUTES,
            *metrics.ROUTES,
            *artifacts.ROUTES,
            *direct.ROUTES,
            *routes(operations.MLFLOW),
            *logged_models.ROUTES,
            *webhooks.ROUTES,
        ),
    ),
    (("/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts"), (*artifacts.PROXY_ROUTES, *direct.PROXY_ROUTES)),
    (("/api/3.0/mlflow", "/ajax-api/3.0/mlflow"), about.INFO_ROUTES),
    (
        ("/api/logbuch/1",),
        (
            *native_about.ROUTES,
            *native_experiments.ROUTES,
            *table.ROUTES,
            *export.ROUTES,
            *bulk.ROUTES,
            *census.ROUTES,
            *saved.ROUTES,
            *groups.ROUTES,
            *buckets.ROUTES,
            *curves.ROUTES,
            *ingest.ROUTES,
            *uploads.ROUTES,
            *logs.ROUTES,
            *media.ROUTES,
            *heartbeats.ROUTES,
            *live.ROUTES,
            *routes(operations.NATIVE),
            Route("GET", "/openapi.json", None, Permission.NONE, _document, "This description"),
        ),
    ),
    (("",), (*about.ROUTES, *artifacts.PAGE_ROUTES, *framed.PAGE_ROUTES)),
)
"""Every route of the server, below its bases."""


def create_app(context: Context) -> ASGIApp:
    """The ASGI application of one server."""
    prefix = context.options.static_prefix
    page = Page(context.options.page, prefix, lambda: context.read(changes.cursor))
    return Security(Dispatcher(context, TABLES, prefix, page), context.options)
