"""The table of routes: method, path, request, permission, function. What is not in it is not served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

Handler = Callable[..., Awaitable[Any]]


class Permission(StrEnum):
    """What a caller must be allowed to do. Every route declares one."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``path`` stands below the API's base; a segment ``{name}`` takes any text, a last ``{path}`` the rest.

    ``handle(context, request)`` gets the decoded request struct, or Starlette's request where ``request`` is None, and
    the parts of the address that vary by their names.
    """

    method: str
    path: str
    request: type[msgspec.Struct] | None
    permission: Permission
    handle: Handler
    summary: str
    raw_body: bool = False
    with_head: bool = False
    """``handle`` also gets Starlette's request, for its headers."""
    media_type: str = "application/octet-stream"
    """Of a raw body."""

    def __post_init__(self) -> None:
        if not isinstance(self.permission, Permission):
            raise TypeError(f"route {self.method} {self.path} declares no permission")
