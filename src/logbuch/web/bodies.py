"""Reading the bodies of requests."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from logbuch.errors import TooLarge

LARGE_BYTES = 256 * 1024
"""Bodies above this are decoded in a thread: the loop has others to serve."""


async def read(request: Request, limit: int) -> bytes:
    """The whole body; TooLarge as soon as it has more than ``limit`` bytes."""
    return await receive_all(request.receive, limit)


async def receive_all(receive: Receive, limit: int) -> bytes:
    """Like :func:`read`, for those to whom Starlette's request would cost more than the work itself."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The request body has more than {limit} bytes.")
        parts.append(chunk)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)
