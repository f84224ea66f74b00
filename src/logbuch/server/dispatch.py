"""From an address to a route: a dictionary for fixed paths, a short list for those that end in a file's path."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from logbuch.errors import EndpointNotFound, InvalidInput, LogbuchError
from logbuch.limits import JSON_BODY_BYTES
from logbuch.server import answers, bodies
from logbuch.server.context import Context
from logbuch.server.routes import Route
from logbuch.wire import decode

logger = logging.getLogger("logbuch.server")
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
        path: str = scope["path"]
        if self._prefix:
            path = path.removeprefix(self._prefix)
        methods, rest = self._fixed.get(path), ""
        if methods is None:
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
        answer = (
            _not_offered(method, path, methods) if route is None else await self._answer(route, scope, receive, rest)
        )
        if isinstance(answer, Response):
            await answer(scope, receive, send)
        else:
            await answers.send_json(answer, send)

    def _find(self, path: str) -> tuple[dict[str, Route] | None, str]:
        for start, found in self._open.items():
            if path.startswith(start):
                return found, path[len(start) :]
        return None, ""

    async def _answer(self, route: Route, scope: Scope, receive: Receive, rest: str) -> Any:
        try:
            argument = Request(scope, receive) if route.request is None else await self._decoded(route, scope, receive)
            arguments = (self._context, argument, rest) if route.path.endswith(_REST) else (self._context, argument)
            return await route.handle(*arguments)
        except LogbuchError as problem:
            return answers.error(problem)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:  # whatever it is, the client gets an answer and the log the trace
            logger.exception("%s %s failed", route.method, route.path)
            return answers.internal_error()

    async def _decoded(self, route: Route, scope: Scope, receive: Receive) -> msgspec.Struct:
        assert route.request is not None
        if route.method == "GET":
            return decode.from_query(route.request, Request(scope).query_params.multi_items())
        _check_headers(scope["headers"])
        body = await bodies.receive_all(receive, JSON_BODY_BYTES)
        if len(body) > bodies.LARGE_BYTES:
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


def _check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Only JSON: a form of another page can send text/plain without asking, but not JSON."""
    given = dict(headers)
    kind = given.get(b"content-type")
    if kind is None:
        raise InvalidInput("Bad Request. Content-Type header is missing.")
    if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
        raise InvalidInput("Bad Request. Content-Type must be one of ['application/json'].")
    if given.get(b"content-encoding", b"identity") != b"identity":
        raise InvalidInput("Bad Request. Content-Encoding is not supported.")
