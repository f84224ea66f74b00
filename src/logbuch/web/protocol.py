"""uvicorn's HTTP protocol with a cap on the bytes of a request's head, which it does not have of its own."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from logbuch.limits import HEADER_BYTES


class LimitedProtocol(HttpToolsProtocol):
    """Closes a connection that sends a longer address and headers than any client needs."""

    _head_bytes = 0

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        if self._head_bytes > HEADER_BYTES:
            self._refuse()
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEADER_BYTES:
            self._refuse()
        super().on_header(name, value)

    def _refuse(self) -> None:
        self.transport.close()
        raise ValueError("the head of the request is too long")  # ends the parsing of what is left
