"""Operations as routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from logbuch.operations.operation import Operation
from logbuch.server.caller import caller
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route


def routes(operations: Iterable[Operation]) -> tuple[Route, ...]:
    """A route for each operation; who writes needs the permission to."""
    return tuple(_route(operation) for operation in operations)


def _route(operation: Operation) -> Route:
    async def handle(context: Context, request: Any, **parts: str) -> Any:
        call = context.write if operation.writes else context.read
        return await call(operation.run, request, caller(), **parts)

    permission = Permission.MANAGE if operation.manages else Permission.WRITE if operation.writes else Permission.READ
    return Route(operation.method, operation.path, operation.request, permission, handle, operation.summary)
