"""uvicorn's HTTP protocol with a cap on the bytes of a request's head, and with heads of answers that are made once."""

from __future__ import annotations

import functools
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from logbuch.limits import HEADER_BYTES

Headers = tuple[tuple[bytes, bytes], ...]
_KNOWN_HEADS = 512


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

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.cycle.__class__ = _Cycle  # its task has not begun; uvicorn has no place to name the class

    def _refuse(self) -> None:
        self.transport.close()
        raise ValueError("the head of the request is too long")  # ends the parsing of what is left


class _Cycle(RequestResponseCycle):
    """A request and its answer. The headers of a usual answer are looked through once, and not each time."""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start" and self._usual():
            headers = message["headers"]
            known = _head(message["status"], headers) if type(headers) is tuple else None
            if known is not None:
                self.response_started, self.waiting_for_100_continue, self.chunked_encoding = True, False, False
                head, self.expected_content_length = known
                self.transport.write(head)
                return
        await super().send(message)

    def _usual(self) -> bool:
        """Whether nothing but the headers decides about the head."""
        quiet = self.keep_alive and not (self.response_started or self.disconnected or self.flow.write_paused)
        return quiet and self.scope["method"] != "HEAD" and not self.default_headers and not self.access_log


@functools.lru_cache(_KNOWN_HEADS)
def _head(status: int, headers: Headers) -> tuple[bytes, int] | None:
    """The head of an answer of known length, and that length; None for all that uvicorn has to look at itself."""
    names = [name.lower() for name, _ in headers]
    if names.count(b"content-length") != 1 or {b"connection", b"transfer-encoding"}.intersection(names):
        return None
    if any(HEADER_RE.search(name) or HEADER_VALUE_RE.search(value) for name, value in headers):
        return None
    length = int(headers[names.index(b"content-length")][1])
    lines = (b"%b: %b\r\n" % (name, value) for name, (_, value) in zip(names, headers, strict=True))
    return b"".join((STATUS_LINE[status], *lines, b"\r\n")), length
