"""From an address to a route: a dictionary for fixed paths, a short list for those that end in a file's path."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from logbuch.errors import EndpointNotFound, InvalidInput, LogbuchError, TooLarge
from logbuch.limits import JSON_BODY_BYTES
from logbuch.server import answers
from logbuch.server.context import Context
from logbuch.server.routes import Route
from logbuch.wire import decode

logger = logging.getLogger("logbuch.server")
LARGE_BYTES = 256 * 1024
"""Bodies above this are decoded in a thread: the loop has others to serve."""
_REST = "{path}"


class Dispatcher:
    """Serves the table of routes below the given bases; everything else goes to ``fallback`` (the page)."""

    def __init__(
        self, context: Context, tables: Iterable[tuple[Sequence[str], Sequence[Route]]], prefix: str, fallback: ASGIApp
    ) -> None:
        self._context = context
        self._prefix = prefix
        self._fallback = fallback
        self._fixed: dict[str, dict[str, Route]] = {}
        self._open: dict[str, dict[str, Route]] = {}
        for bases, routes in tables:
            for base in bases:
                for route in routes:
                    self._add(base + route.path, route)

    def _add(self, path: str, route: Route) -> None:
        table, path = (self._open, path.removesuffix(_REST)) if path.endswith(_REST) else (self._fixed, path)
        methods = table.setdefault(path, {})
        if route.method in methods:
            raise ValueError(f"two routes for {route.method} {path}")
        methods[route.method] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"].removeprefix(self._prefix)
        methods, rest = self._find(path)
        if methods is None:
            if path.startswith(("/api/", "/ajax-api/")):
                problem = EndpointNotFound(f"No API found for '{scope['method']} {path[:200]}'.")
                await answers.error(problem)(scope, receive, send)
            else:
                await self._fallback(scope, receive, send)
            return
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route = methods.get(method)
        if route is None:
            response = _not_offered(method, path, methods)
        else:
            response = await self._answer(route, Request(scope, receive), rest)
        await response(scope, receive, send)

    def _find(self, path: str) -> tuple[dict[str, Route] | None, str]:
        methods = self._fixed.get(path)
        if methods is not None:
            return methods, ""
        for start, found in self._open.items():
            if path.startswith(start):
                return found, path[len(start) :]
        return None, ""

    async def _answer(self, route: Route, request: Request, rest: str) -> Response:
        try:
            argument = request if route.request is None else await self._decoded(route, request)
            arguments = (self._context, argument, rest) if route.path.endswith(_REST) else (self._context, argument)
            answer = await route.handle(*arguments)
        except LogbuchError as problem:
            return answers.error(problem)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:  # whatever it is, the client gets an answer and the log the trace
            logger.exception("%s %s failed", route.method, route.path)
            return answers.internal_error()
        return answer if isinstance(answer, Response) else answers.json(answer)

    async def _decoded(self, route: Route, request: Request) -> msgspec.Struct:
        assert route.request is not None
        if route.method == "GET":
            return decode.from_query(route.request, request.query_params.multi_items())
        _check_content_type(request)
        if request.headers.get("content-encoding", "identity") != "identity":
            raise InvalidInput("Bad Request. Content-Encoding is not supported.")
        body = await _body(request)
        if len(body) > LARGE_BYTES:
            return await self._context.call(decode.from_json, route.request, body)
        return decode.from_json(route.request, body)


def _not_offered(method: str, path: str, methods: Iterable[str]) -> Response:
    allow = {"allow": ", ".join(sorted(methods))}
    if method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    response = answers.error(EndpointNotFound(f"{method} is not offered at '{path[:200]}'."))
    response.status_code = 405
    response.headers.update(allow)
    return response


def _check_content_type(request: Request) -> None:
    """Only JSON: a form of another page can send text/plain without asking, but not JSON."""
    given = request.headers.get("content-type")
    if given == "application/json":
        return
    if given is None:
        raise InvalidInput("Bad Request. Content-Type header is missing.")
    if given.partition(";")[0].strip().lower() != "application/json":
        raise InvalidInput("Bad Request. Content-Type must be one of ['application/json'].")


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > JSON_BODY_BYTES:
            raise TooLarge(f"The request body has more than {JSON_BODY_BYTES} bytes.")
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)
