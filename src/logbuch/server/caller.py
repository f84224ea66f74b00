"""Who sends a request, as far as the request says.

Without a login this is the caller's own word: the user name of Basic authentication, or the header X-Logbuch-User that
Logbuch's SDK sends. The address is the connection's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from contextvars import ContextVar
from urllib.parse import unquote

from starlette.types import Scope

from logbuch.registry import Caller

USER_HEADER = "X-Logbuch-User"
_header = USER_HEADER.lower().encode()
current: ContextVar[Scope | None] = ContextVar("request", default=None)
"""The request that is being answered; set by the dispatcher."""


def caller() -> Caller:
    """The caller of the request that is being answered."""
    scope = current.get()
    if scope is None:
        return Caller()
    client = scope.get("client")
    return Caller(user=_user(scope["headers"]), address=client[0] if client else "")


def _user(headers: Iterable[tuple[bytes, bytes]]) -> str:
    given = dict(headers)
    kind, _, credentials = given.get(b"authorization", b"").partition(b" ")
    if kind.lower() == b"basic":
        try:
            name = base64.b64decode(credentials, validate=True).partition(b":")[0]
            return name.decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return unquote(given.get(_header, b"").decode("latin-1"))
