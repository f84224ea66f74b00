"""A way to another server that fails now and then: refuses with 503, or cuts the connection in the middle."""

from __future__ import annotations

import itertools
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

GOOD_BYTES = 12 * 1024 * 1024
_BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Flaky:
    """Forwards connections to ``port``. Of those that begin while it is ``faulty``, two of three are spoilt."""

    port: int
    faulty: bool = False
    cut_after: int = 200_000
    """Bytes, both ways together, after which a connection is cut."""
    spoilt: int = 0
    _numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        kind = next(self._numbers) % 3 if self.faulty else 0
        self.spoilt += kind > 0
        with suppress(OSError), client:
            if kind == 1:
                client.recv(65536)
                client.sendall(_BUSY)
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                left: list[int | None] = [None]
                if self.faulty:  # even a good one ends some time, so that others take its place
                    left = [self.cut_after if kind == 2 else GOOD_BYTES]
                back = threading.Thread(target=self._forward, args=(server, client, left), daemon=True)
                back.start()
                self._forward(client, server, left)
                back.join()

    def _forward(self, source: socket.socket, target: socket.socket, left: list[int | None]) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                if left[0] is not None:
                    left[0] -= len(chunk)
                    if left[0] < 0:
                        break
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
