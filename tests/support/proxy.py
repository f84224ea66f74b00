"""A TCP proxy that misbehaves as networks do: it loses answers, holds them back, is slow, or swallows everything."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from enum import Enum


class Mode(Enum):
    PASS = 0
    LOSE_ANSWERS = 1
    """Some requests reach the server, and the connection breaks before the answer."""
    SWALLOW = 2
    """Connections are accepted, and nothing that is sent on them arrives or is answered: a black hole."""
    SLOW = 3
    """20 kB a second in both directions."""
    HALF_OPEN = 4
    """What goes to the server arrives; what it says does not, and nobody hears of it."""


class Proxy:
    """Listens on a port of its own and passes on to ``port``. ``mode`` may change at any time."""

    def __init__(self, port: int, mode: Mode = Mode.PASS, seed: int = 1) -> None:
        self.mode = mode
        self.lost = 0
        """How many answers were lost."""
        self._port, self._dice = port, random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        for connection in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                client.close()
                continue
            self._open += [client, server]
            for source, target, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=(source, target, answers), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2048 if self.mode is Mode.SLOW else 65536):
                if self.mode is Mode.SWALLOW or (answers and self.mode is Mode.HALF_OPEN):
                    continue
                if answers and self.mode is Mode.LOSE_ANSWERS and self._dice.random() < 0.4:
                    self.lost += 1
                    break
                if self.mode is Mode.SLOW:
                    time.sleep(len(data) / 20_000)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
