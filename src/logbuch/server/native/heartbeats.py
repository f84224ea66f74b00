"""Signs of life of processes that carry on runs. See docs/reference/heartbeats.md."""

from __future__ import annotations

from typing import Any

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import heartbeats
from logbuch.wire import ingest
from logbuch.wire import native as wire


async def beat(context: Context, request: wire.Heartbeat) -> Any:
    _check_journal(request.journal)
    context.watch.note(request.journal)
    return {"seconds": context.watch.seconds}


async def gone(context: Context, request: wire.Gone) -> Any:
    _check_journal(request.journal)
    time = limits.check_integer(request.time, "time")
    return {"ended": await context.write(heartbeats.gone, request.journal, time)}


def _check_journal(journal: str) -> None:
    if not ingest.is_journal(journal):
        raise InvalidInput(f"Invalid value {limits.clip(journal)!r} for parameter 'journal': it is no journal ID.")


_WRITE = Permission.WRITE
ROUTES = (
    Route("POST", "/heartbeat", wire.Heartbeat, _WRITE, beat, "A process that carries on runs is alive"),
    Route("POST", "/heartbeat/gone", wire.Gone, _WRITE, gone, "A process is known to be gone: end the runs it held"),
)
