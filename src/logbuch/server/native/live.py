"""The stream of live changes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.server.context import Context
from logbuch.server.live import events
from logbuch.server.routes import Permission, Route
from logbuch.store import runs
from logbuch.store.experiments import inner_id
from logbuch.store.tx import Tx
from logbuch.wire import decode
from logbuch.wire import native as wire


async def follow(context: Context, request: Request) -> Response:
    wanted = decode.from_query(wire.LiveRequest, request.query_params.multi_items())
    cursor = _cursor(request.headers.get("last-event-id") or wanted.cursor)
    experiments = [inner_id(id_) for id_ in wanted.experiment_id]
    ids = await context.read(_inner_ids, wanted.run_id)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    stream = events(context, cursor, experiments, ids)
    return StreamingResponse(stream, headers=headers, media_type="text/event-stream")


def _cursor(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidInput("Invalid value for parameter 'cursor': it is no cursor of this server.")
    return int(text)


def _inner_ids(tx: Tx, run_ids: list[str]) -> list[int]:
    """The runs that exist. Where none does, -1, which no run has: an empty list would mean all."""
    limits.check_ids(run_ids, "run_id")
    return [row.id for row in runs.preload(tx, run_ids).values()] or [-1] * bool(run_ids)


ROUTES = (Route("GET", "/live", None, Permission.READ, follow, "Server-sent events of changed runs"),)
