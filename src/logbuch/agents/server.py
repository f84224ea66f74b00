"""The server of the Model Context Protocol: the tools, and the two ways to reach them.

Over stdio one program speaks to it, over HTTP any on this machine: it listens on the loopback address alone, and the
protocol's library refuses other hosts and origins. Other ports of this machine are such: a page from there is somebody
else's. Each request over HTTP stands for itself, for sessions of clients that went away would pile up.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations

from logbuch.agents import reading, writing
from logbuch.errors import LogbuchError
from logbuch.version import __version__

LOOPBACK = "127.0.0.1"
_HTTP = 80
_ABOUT = (
    "Logbuch tracks experiments: runs with params, metrics over steps, code, data and files. Begin with "
    "list_experiments; best_run answers which run was best, diff_runs in what runs differ, check_run whether a "
    "training was stable, metric_history gives curves in a few parts."
)


def build(*, write: bool = False) -> MCPServer[Any]:
    """The server with its tools; those that change something only with ``write``."""
    server: MCPServer[Any] = MCPServer("logbuch", instructions=_ABOUT, version=__version__, log_level="WARNING")
    for asking in reading.TOOLS:
        _add(server, asking, ToolAnnotations(read_only_hint=True, open_world_hint=False))
    for changing in writing.TOOLS if write else ():
        _add(server, changing, ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True,
                                           open_world_hint=False))  # fmt: skip
    return server


def serve_stdio(*, write: bool) -> None:
    """Serves one client over stdin and stdout until it goes."""
    build(write=write).run("stdio")


def serve_http(*, write: bool, port: int, listening: Callable[[str], None]) -> None:
    """Serves any client on this machine until it is interrupted; ``listening`` is told the address.

    Port 0 is a free one. OSError where the port is taken.
    """
    import uvicorn

    with socket.create_server((LOOPBACK, port)) as listener:
        own = listener.getsockname()[1]
        app = build(write=write).streamable_http_app(stateless_http=True, transport_security=_trusted(own))
        listening(f"http://{LOOPBACK}:{own}/mcp")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listener])


def _trusted(port: int) -> TransportSecuritySettings:
    hosts = [f"{host}:{port}" for host in (LOOPBACK, "localhost")]
    hosts += [LOOPBACK, "localhost"] if port == _HTTP else []  # which clients leave out
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts])


def _add(server: MCPServer[Any], tool: Callable[..., dict[str, Any]], hints: ToolAnnotations) -> None:
    server.add_tool(_told(tool), description=tool.__doc__, annotations=hints, structured_output=False)


def _told(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The tool, whose refusals the agent is told in their own words."""

    @functools.wraps(tool)
    def call(*args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            return tool(*args, **kwargs)
        except LogbuchError as error:
            raise ToolError(error.message) from error

    return call
