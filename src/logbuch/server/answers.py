"""Answers: JSON by msgspec, and errors in MLflow's form."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from logbuch.errors import LogbuchError

_encoder = msgspec.json.Encoder()


def json(value: Any, status: int = 200) -> Response:
    return Response(_encoder.encode(value), status, media_type="application/json")


def error(problem: LogbuchError) -> Response:
    body = problem.serialize()
    # Filters and names may hold lone surrogates, which JSON cannot carry.
    body["message"] = str(body["message"]).encode("utf-8", "backslashreplace").decode()
    return json(body, problem.http_status)


def internal_error() -> Response:
    message = "The server failed to answer; its log says why."
    return json({"error_code": "INTERNAL_ERROR", "message": message}, 500)
