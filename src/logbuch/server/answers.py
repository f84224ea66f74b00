"""Answers: JSON by msgspec, and errors in MLflow's form."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Send

from logbuch.errors import LogbuchError, RangeRefused

_encoder = msgspec.json.Encoder()
_JSON = (b"content-type", b"application/json")


def json(value: Any, status: int = 200) -> Response:
    return Response(_encoder.encode(value), status, media_type="application/json")


class Ready(Response):
    """A JSON answer whose body is encoded already, with further headers as they are sent: lower-case names, values that
    are fit to be sent. Starlette's own way of making one would cost more than sending it."""

    def __init__(self, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        self.body, self.status_code, self.background = body, 200, None
        self.raw_headers = (_JSON, (b"content-length", b"%d" % len(body)), *headers)  # type: ignore[assignment]


async def send_json(value: Any, send: Send) -> None:
    """Sends the same without a Response, which would cost a quarter of a small request."""
    body = _encoder.encode(value)
    headers = (_JSON, (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def error(problem: LogbuchError) -> Response:
    body = problem.serialize()
    # Filters and names may hold lone surrogates, which JSON cannot carry.
    body["message"] = str(body["message"]).encode("utf-8", "backslashreplace").decode()
    response = json(body, problem.http_status)
    if isinstance(problem, RangeRefused):
        response.headers["content-range"] = f"bytes */{problem.size}"
    return response


def internal_error() -> Response:
    message = "The server failed to answer; its log says why."
    return json({"error_code": "INTERNAL_ERROR", "message": message}, 500)
