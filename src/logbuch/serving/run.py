"""Starting and stopping the scoring server: load the model, bind the socket, serve until told to end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Event
from typing import Any, NoReturn

import uvicorn

from logbuch.errors import LogbuchError
from logbuch.serving.app import Options, create_app
from logbuch.serving.batching import THREAD
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
        failed = multiprocessing.get_context("fork").Event()
        code = supervise(lambda: _work(load, options, listener, failed), workers)
        return 1 if failed.is_set() else code


def leave(code: int) -> NoReturn:
    """Ends the process. Python itself would wait for a prediction under way, and for ever for one without end."""
    if any(thread.name.startswith(THREAD) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _work(load: Callable[[], Served], options: Options, listener: socket.socket, failed: Event) -> int:
    try:
        served = load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a model provokes: another try would end the same way
        if not failed.is_set():
            failed.set()
            said = error.message if isinstance(error, LogbuchError) else f"{type(error).__name__}: {error}"
            print(f"logbuch: The model cannot be loaded: {said}", file=sys.stderr, flush=True)  # noqa: T201
            os.kill(os.getppid(), signal.SIGTERM)
        return 1
    return _run(served, options, listener)


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
