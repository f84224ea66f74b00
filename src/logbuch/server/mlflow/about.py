"""What the server says of itself: health, version, server-info."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.version import MLFLOW_PROTOCOL


async def health(context: Context, request: Request) -> Any:  # noqa: ARG001
    return PlainTextResponse("OK")


async def version(context: Context, request: Request) -> Any:  # noqa: ARG001
    """The version of MLflow whose protocol is spoken: its clients compare it with their own."""
    return PlainTextResponse(MLFLOW_PROTOCOL)


async def server_info(context: Context, request: Request) -> Any:  # noqa: ARG001
    direct = context.files.signs
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": direct,
        "multipart_downloads_enabled": direct,
        "artifact_serving_enabled": True,
        "presigned_uploads_supported": direct,
        "presigned_downloads_supported": direct,
        "artifacts_presigned_only": False,
        "features_enabled": {},
        "tracking_auth": None,
    }


ROUTES = (
    Route("GET", "/health", None, Permission.NONE, health, "Whether the server is up"),
    Route("GET", "/version", None, Permission.NONE, version, "The protocol's version"),
)
INFO_ROUTES = (Route("GET", "/server-info", None, Permission.READ, server_info, "What the server offers"),)
