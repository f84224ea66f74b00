"""The socket that a server's processes share."""

from __future__ import annotations

import socket

from logbuch.errors import StoreRefused
from logbuch.web.options import Listening

BACKLOG = 2048


def bind(options: Listening) -> socket.socket:
    """A listening socket; StoreRefused, in one line, when the address is taken or not this machine's."""
    listener = _bound(options)
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener


def check(options: Listening) -> None:
    """StoreRefused, like :func:`bind`, before a command does what takes long; nothing listens yet."""
    _bound(options).close()


def _bound(options: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it: answers on kept-alive connections must not wait for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        listener.close()
        raise StoreRefused(
            f"Cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another address or --port."
        ) from None
    return listener
