"""The scoring server's endpoints: ``/invocations``, ``/ping``, ``/health``, ``/version``, ``/metrics``."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from logbuch.errors import BadRequest, EndpointNotFound, LogbuchError, Unavailable
from logbuch.serving import answers, requests
from logbuch.serving.batching import Batcher, Full, Limits
from logbuch.serving.metrics import CONTENT_TYPE, Metrics
from logbuch.serving.model import Served
from logbuch.version import __version__
from logbuch.web import bodies
from logbuch.web.options import Listening
from logbuch.web.security import Security

logger = logging.getLogger("logbuch.serving")


CLIENT_GONE = 499
"""The status that proxies note of a request whose client closed its connection before the answer."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a model is served. ``timeout`` is in seconds, ``body`` in bytes."""

    listening: Listening = field(default_factory=Listening)
    limits: Limits = field(default_factory=Limits)
    timeout: float = 60.0
    body: int = 64 * 1024 * 1024


class MethodNotAllowed(EndpointNotFound):
    http_status = 405


class BodyLate(BadRequest):
    """A client that began a request and sends no more of it."""

    http_status = 408


class TimedOut(Unavailable):
    """The model took longer than the server lets it."""

    http_status = 504


def create_app(served: Served, options: Options) -> ASGIApp:
    """The ASGI application that serves one model."""
    endpoints = _Endpoints(served, options)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        yield
        endpoints.batcher.close()

    app = Starlette(
        routes=[
            Route("/invocations", endpoints.invocations, methods=["POST"]),
            Route("/ping", endpoints.ping, methods=["GET", "POST"]),
            Route("/health", endpoints.ping, methods=["GET", "POST"]),
            Route("/version", endpoints.version, methods=["GET", "POST"]),
            Route("/metrics", endpoints.metrics_text, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _no_route},
        lifespan=lifespan,
    )
    return Security(app, options.listening)


class _Endpoints:
    def __init__(self, served: Served, options: Options) -> None:
        self._served = served
        self._options = options
        self._metrics = Metrics()
        self.batcher = Batcher(served, options.limits, self._metrics)

    async def invocations(self, request: Request) -> Response:
        begun = time.perf_counter()
        try:
            response = await self._scored(request)
        except LogbuchError as error:
            response = _error(error)
        except ClientDisconnect:
            response = Response(status_code=CLIENT_GONE)  # nobody reads it; the metrics count it
        except Exception:
            logger.exception("A request failed.")
            response = _error(LogbuchError("The server failed to answer; its log says why."))
        self._metrics.requests.labels(str(response.status_code)).inc()
        self._metrics.seconds.observe(time.perf_counter() - begun)
        return response

    async def _scored(self, request: Request) -> Response:
        body = await bodies.receive_all(lambda: self._part(request), self._options.body)
        content_type = request.headers.get("content-type")
        asked = await _at_its_place(body, requests.parse, body, content_type, self._served.signature)
        predictions = await self._predicted(request, asked)
        answer = await _at_its_place(body, lambda: answers.encode(predictions, wrapped=asked.wrapped))
        return Response(answer, media_type="application/json")

    async def _part(self, request: Request) -> Message:
        try:
            async with asyncio.timeout(self._options.timeout):
                return await request.receive()
        except TimeoutError:
            raise BodyLate(f"Nothing more of the request came within {self._options.timeout:g} s.") from None

    async def _predicted(self, request: Request, asked: requests.Asked) -> Any:
        """The model's answer, unless it takes too long or its client goes: what nobody waits for leaves the queue."""
        answer = asyncio.ensure_future(self.batcher.predict(asked))
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait((answer, gone), timeout=self._options.timeout, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            if gone.done():
                raise ClientDisconnect
            raise TimedOut(f"The model took longer than {self._options.timeout:g} s.")
        finally:
            answer.cancel()
            gone.cancel()

    async def ping(self, _request: Request) -> Response:
        """The model is loaded before the socket is listened on: whoever gets an answer may ask."""
        return Response("\n", media_type="application/json")

    async def version(self, _request: Request) -> Response:
        return Response(__version__, media_type="application/json")

    async def metrics_text(self, _request: Request) -> Response:
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)


async def _gone(request: Request) -> None:
    """Returns when the client of a request that was read whole has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _at_its_place(body: bytes, function: Callable[..., Any], *args: Any) -> Any:
    """Small requests are worked on at once, large ones in a thread: the loop has others to serve."""
    return function(*args) if len(body) <= bodies.LARGE_BYTES else await asyncio.to_thread(function, *args)


def _error(problem: LogbuchError) -> Response:
    body = problem.serialize()
    body["message"] = str(body["message"]).encode("utf-8", "backslashreplace").decode()
    headers = {"retry-after": str(problem.seconds)} if isinstance(problem, Full) else {}
    if isinstance(problem, BodyLate):
        headers["connection"] = "close"
    return Response(json.dumps(body), problem.http_status, headers, media_type="application/json")


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    if status == 405:
        return _error(MethodNotAllowed(f"{request.method} is not for {request.url.path}."))
    if status == 404:
        return _error(EndpointNotFound(f"There is nothing at {request.url.path}. Predictions: POST /invocations."))
    return _error(BadRequest(str(error)))
