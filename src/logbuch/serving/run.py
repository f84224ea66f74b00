"""Starting and stopping the scoring server: load the model, bind the socket, serve until told to end."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from logbuch.errors import LogbuchError
from logbuch.serving.app import Options, create_app
from logbuch.serving.model import Served
from logbuch.web.protocol import LimitedProtocol
from logbuch.web.sockets import bind
from logbuch.web.workers import supervise


def serve(load: Callable[[], Served], options: Options, workers: int = 1) -> int:
    """Serves until SIGINT or SIGTERM and returns the exit code; requests under way are answered first.

    Each of several workers loads the model for itself: libraries with threads of their own do not survive a fork.
    """
    listener = bind(options.listening)
    with listener:
        if workers == 1:
            return _run(load(), options, listener)
        return supervise(lambda: _work(load, options, listener), workers)


def _work(load: Callable[[], Served], options: Options, listener: socket.socket) -> int:
    try:
        return _run(load(), options, listener)
    except LogbuchError as error:
        print(f"logbuch: {error.message}", file=sys.stderr, flush=True)  # noqa: T201
        return 1


def _run(served: Served, options: Options, listener: socket.socket) -> int:
    config = uvicorn.Config(
        create_app(served, options),
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=LimitedProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(options.timeout) + 1,
    )
    _announce(served, options)
    _Server(config).run(sockets=[listener])
    return 0


def _announce(served: Served, options: Options) -> None:
    print(f"Serving {served.source} at {options.listening.address}/invocations", flush=True)  # noqa: T201
    if options.listening.exposed:
        print(  # noqa: T201
            "Warning: other machines can reach this server, and there is no login: all of them can use the model.",
            file=sys.stderr,
            flush=True,
        )


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002
        # Not the base's way: it would raise the signal again at the end, and the exit code would be the signal's.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
