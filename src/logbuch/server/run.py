"""Starting and stopping: open the store, bind the socket, serve until told to end."""

from __future__ import annotations

import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import uvicorn

from logbuch import settings
from logbuch.files.roots import Files
from logbuch.server.app import create_app
from logbuch.server.context import Context, Options
from logbuch.store import open_store
from logbuch.web.protocol import LimitedProtocol
from logbuch.web.sockets import bind
from logbuch.web.workers import apart, supervise

DRAIN_SECONDS = 5
KEPT_BYTES = 32 * 1024 * 1024
"""So much free memory is kept in each of the allocator's places; twice the largest columns of a seal."""
_TRIMMED_FROM, _MAPPED_FROM, _ARENAS = -1, -3, -8  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX of malloc.h


@dataclass(frozen=True, slots=True)
class Service:
    """All that is needed to start a server process."""

    store_uri: str
    artifact_root: str
    options: Options
    workers: int = 1
    beside: Callable[[], AbstractContextManager[object]] = nullcontext
    """What goes on in the background while the server serves."""
    artifact_roots: tuple[str, ...] = ()
    """Further roots, which experiments may choose."""


def serve(service: Service) -> int:
    """Serves until SIGINT or SIGTERM, and returns the exit code. Raises StoreRefused for what cannot be opened."""
    listener = bind(service.options)
    with listener:
        if service.workers == 1:
            context = _open(service)
            _announce(service, context)
            with service.beside():
                return _run(context, listener)
        # Opened once before the workers start: what is refused is refused in one line, and the schema is there.
        context = _opened(service)
        context.close()
        apart(lambda: context.files.claim(context.store.id))
        _announce(service, context)
        with service.beside():
            return supervise(lambda: _run(_open(service), listener), service.workers)


def _open(service: Service) -> Context:
    _calm_allocator()
    context = _opened(service)
    context.files.claim(context.store.id)  # so that a clean-up of another store leaves them alone
    context.files.hasten()
    return context


def _opened(service: Service) -> Context:
    files = Files.at(service.artifact_root, service.artifact_roots)
    return Context(open_store(service.store_uri), files, service.options)


def _announce(service: Service, context: Context) -> None:
    options = service.options
    print(f"Logbuch at {options.address}/  (Ctrl-C ends it)", flush=True)  # noqa: T201
    print(f"Runs in {context.store.where}, artifacts in {context.files.where}", flush=True)  # noqa: T201
    if options.exposed:
        print(  # noqa: T201
            "Warning: other machines can reach this server, and there is no login: whoever reaches it can read and "
            "change everything.",
            file=sys.stderr,
            flush=True,
        )


def _run(context: Context, listener: socket.socket) -> int:
    config = uvicorn.Config(
        create_app(context),
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=LimitedProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config, context)
    _calm_collector()
    context.watch.start()
    if settings.CHECK_RUNS.flag():
        context.examiner.start()
    context.alarms.start()
    context.courier.start()
    try:
        server.run(sockets=[listener])
    finally:
        context.close()
    return 0


def _calm_collector() -> None:
    """Keeps the cyclic garbage collector from what was imported, which never becomes garbage.

    Looking through it again and again took a third of the time of small requests. Requests leave few cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def _calm_allocator() -> None:
    """Has glibc keep memory that is free for a moment, in few places.

    Columns of a megabyte come and go with each run that is sealed, and bodies with each request. By its own measure
    glibc gave their memory back each time, and the kernel filled new pages with zeros: a third of the time of sealing.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_ARENAS, 4)
        mallopt(_MAPPED_FROM, KEPT_BYTES)
        mallopt(_TRIMMED_FROM, KEPT_BYTES)


class _Server(uvicorn.Server):
    """Ends the endless streams first, so that shutting down does not wait for them."""

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002
        # Not the base's way: it would raise the signal again at the end, before the store is closed.
        self._context.hub.close()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
