"""The stability of a run. See docs/reference/stability.md."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import verdicts
from logbuch.wire import native as wire


async def judge(context: Context, request: wire.StabilityRequest) -> Any:
    examined = await context.read(verdicts.current, request.run_id)
    return {"run_id": examined.run_id, **msgspec.structs.asdict(examined.verdict)}


ROUTES = (
    Route("GET", "/runs/stability", wire.StabilityRequest, Permission.READ, judge, "Whether a training was stable"),
)
