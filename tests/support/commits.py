"""A proxy before PostgreSQL that can lose the answer to a commit: what was committed then is not known to who asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

import psycopg


class CommitLoser:
    """Passes everything on until :meth:`arm`; then the next COMMIT arrives, and its connection ends without an answer.

    ``uri`` leads through it to the same database.
    """

    def __init__(self, uri: str) -> None:
        database = psycopg.conninfo.conninfo_to_dict(uri)
        self._target = f"{database['host']}/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        port = self._listener.getsockname()[1]
        self.uri = f"postgresql://{database['user']}@127.0.0.1:{port}/{database['dbname']}"
        self._armed = threading.Event()
        self.lost = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def arm(self) -> None:
        self._armed.set()

    def __enter__(self) -> CommitLoser:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._open += [client, server]
                silenced = threading.Event()
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=(*ends, silenced), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, asks: bool, silenced: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if asks and b"COMMIT" in data and self._armed.is_set():
                    self._armed.clear()
                    silenced.set()
                if not asks and silenced.is_set():
                    self.lost += 1
                    break  # the server has answered, and nobody hears it
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
