"""Files of a run that a browser shows as pages of their own: HTML and PDF, for a frame of the page.

Everywhere else HTML is text. Here its scripts run, so that an interactive plot works, but in an origin of its own that
has no part in this server's, and without any network.
"""

from __future__ import annotations

import posixpath

from starlette.requests import Request
from starlette.responses import Response

from logbuch.errors import InvalidInput
from logbuch.server.context import Context
from logbuch.server.mlflow.artifacts import get_artifact
from logbuch.server.routes import Permission, Route
from logbuch.wire import mlflow as wire

HTML_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; "
    "frame-ancestors 'self'"
)
# A browser's own reader does not open in a sandbox; the document itself can load nothing.
PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
_SHOWN = {
    ".html": ("text/html; charset=utf-8", HTML_POLICY),
    ".htm": ("text/html; charset=utf-8", HTML_POLICY),
    ".xhtml": ("application/xhtml+xml; charset=utf-8", HTML_POLICY),
    ".pdf": ("application/pdf", PDF_POLICY),
}


async def show(context: Context, request: wire.ShownArtifact, head: Request) -> Response:
    ending = posixpath.splitext(request.path)[1].lower()
    if ending not in _SHOWN:
        raise InvalidInput(f"Invalid path {request.path[:80]!r}: only {', '.join(_SHOWN)} are shown in a frame.")
    response = await get_artifact(context, wire.GetArtifact(run_id=request.run, path=request.path), head)
    type_, policy = _SHOWN[ending]
    response.headers["content-type"] = type_
    response.headers["content-security-policy"] = policy
    response.headers["content-disposition"] = "inline"
    return response


PAGE_ROUTES = (
    Route(
        "GET", "/show-artifact", wire.ShownArtifact, Permission.READ, show, "Show HTML or PDF of a run in a frame",
        with_head=True,
    ),
)  # fmt: skip
