"""From an address to a route: a dictionary for fixed paths, short lists for those with a part that varies."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from logbuch.errors import EndpointNotFound, InvalidInput, LogbuchError
from logbuch.limits import JSON_BODY_BYTES
from logbuch.operations.operation import pattern
from logbuch.server import answers, caller
from logbuch.server.context import Context
from logbuch.server.routes import Route
from logbuch.web import bodies
from logbuch.wire import decode

logger = logging.getLogger("logbuch.server")
_NO_PARTS: Mapping[str, str] = {}
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
        self._patterns: dict[re.Pattern[str], dict[str, Route]] = {}
        for bases, routes in tables:
            for base in bases:
                for route in routes:
                    self._add(base + route.path, route)

    def _add(self, path: str, route: Route) -> None:
        start = path.removesuffix(_REST)
        if "{" in start:
            methods = self._patterns.setdefault(pattern(path), {})
        else:
            methods = (self._fixed if start == path else self._open).setdefault(start, {})
        if route.method in methods:
            raise ValueError(f"two routes for {route.method} {path}")
        methods[route.method] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller.current.set(scope)
        path: str = scope["path"]
        if self._prefix:
            path = path.removeprefix(self._prefix)
        methods, parts = self._fixed.get(path), _NO_PARTS
        if methods is None:
            methods, parts = self._find(path)
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
            _not_offered(method, path, methods) if route is None else await self._answer(route, scope, receive, parts)
        )
        if isinstance(answer, Response):
            await answer(scope, receive, send)
        else:
            await answers.send_json(answer, send)

    def _find(self, path: str) -> tuple[dict[str, Route] | None, Mapping[str, str]]:
        for start, found in self._open.items():
            if path.startswith(start):
                return found, {"path": path[len(start) :]}
        for shape, found in self._patterns.items():
            match = shape.fullmatch(path)
            if match:
                return found, match.groupdict()
        return None, _NO_PARTS

    async def _answer(self, route: Route, scope: Scope, receive: Receive, parts: Mapping[str, str]) -> Any:
        try:
            argument = Request(scope, receive) if route.request is None else await self._decoded(route, scope, receive)
            head = {"head": Request(scope)} if route.with_head else {}
            return await route.handle(self._context, argument, **parts, **head)
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
        # A browser asks before it sends DELETE to another's server, and clients send it without a body.
        bodiless = route.method == "DELETE" and b"content-type" not in dict(scope["headers"])
        if not bodiless:
            _check_headers(scope["headers"])
        body = b"{}" if bodiless else await bodies.receive_all(receive, JSON_BODY_BYTES)
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
