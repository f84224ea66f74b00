"""The outermost layer: exact host names, origins, and the headers of every answer.

A browser page of another origin must neither read nor write here, also not by DNS rebinding: the Host must be one of
the server's own names, and whoever sends an Origin must be the server's own page or an allowed one.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logbuch.web.options import Listening

PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'self'"
)
_FOREIGN = (
    "Cross-origin request blocked. A proxy that stands before the server has to pass on the Host header, with its port."
)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_UNGUARDED = ("/health", "/version", "/ping")


class Security:
    """ASGI middleware; see the module. It works on raw headers, for every request passes it."""

    def __init__(self, app: ASGIApp, options: Listening) -> None:
        self._app = app
        self._hosts = Hosts(options)
        self._origins = frozenset(options.origins)
        self._prefix = options.static_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        origin = _header(headers, b"origin") if self._origins else None
        admitted = origin if origin in self._origins else None
        guarded = _guarded(send, admitted)
        refusal = self._refusal(scope["method"], scope["path"], headers)
        if refusal is not None:
            await PlainTextResponse(refusal, 403)(scope, receive, guarded)
        elif admitted and scope["method"] == "OPTIONS" and _header(headers, b"access-control-request-method"):
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)

    def _refusal(self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not self._hosts.allow(hosts[0].decode("latin-1")):
            unguarded = path.removeprefix(self._prefix) in _UNGUARDED
            return None if unguarded else "Invalid Host header - possible DNS rebinding attack detected"
        if method in _SAFE:
            return None
        origin = _header(headers, b"origin")
        if origin is None and _header(headers, b"sec-fetch-site") != "cross-site":
            return None
        trusted = origin in self._origins or (origin and _same_origin(origin, hosts[0].decode("latin-1")))
        return None if trusted else _FOREIGN


class Hosts:
    """The names under which the server may be called: numbers, the machine's own names, and those allowed."""

    def __init__(self, options: Listening) -> None:
        allowed = options.allowed_hosts
        self._all = allowed is not None and "*" in allowed
        own = {"localhost", socket.gethostname().lower(), options.host.lower()}
        self._names = frozenset(own | {name.lower() for name in allowed or ()})
        self.allow = functools.lru_cache(256)(self._judge)
        """Whether a Host header names this server. Ports do not matter unless an allowed name bears one."""

    def _judge(self, host: str) -> bool:
        if self._all or host.lower() in self._names:
            return True
        name = _without_port(host.lower())
        return name in self._names or _is_address(name)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_address(name: str) -> bool:
    """An IP literal cannot be rebound: whoever calls by number means this machine."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _header(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return None


_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"Origin"),
)
_POLICY = (b"content-security-policy", PAGE_POLICY.encode())
_ALL_HEADERS = (*_HEADERS, _POLICY)


_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": "Content-Type, Authorization",
    "access-control-max-age": "600",
}


def _guarded(send: Send, admitted: str | None) -> Send:
    """Adds the headers of every answer; ``admitted`` is the origin of another page that may read it."""
    extra = ((b"access-control-allow-origin", admitted.encode("latin-1")),) if admitted else ()

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = message.get("headers", ())
            common = _HEADERS if _has_policy(own) else _ALL_HEADERS
            message["headers"] = (*own, *common, *extra)
        await send(message)

    return guarded


def _has_policy(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    for name, _ in headers:  # noqa: SIM110  half the time of any(), once a request
        if name == _POLICY[0]:
            return True
    return False
