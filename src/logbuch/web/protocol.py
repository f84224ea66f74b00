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
_JOINED_BYTES = 64 * 1024
"""Longer parts of a body are not copied behind their head."""


class Fresh(bytes):
    """The value of a header that no other answer bears: a head is kept without it. It has to be fit to be sent."""


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
    """A request and its answer. The headers of a usual answer are looked through once, and not each time; they wait for
    the beginning of the body, since each call of the system wakes the client and takes longer than all else here."""

    _held = b""
    """A head that has not been sent yet."""

    async def send(self, message: Any) -> None:
        if self._held:
            message = self._joined(message)
        elif message["type"] == "http.response.start" and self._usual():
            headers = message["headers"]
            known = _parted(message["status"], headers) if type(headers) is tuple else None
            if known is not None:
                self.response_started, self.waiting_for_100_continue, self.chunked_encoding = True, False, False
                self._held, self.expected_content_length = known
                return
        await super().send(message)

    def _joined(self, message: Any) -> Any:
        """A part of the body with the head before it, which counts as a part of it."""
        head, self._held = self._held, b""
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) > _JOINED_BYTES:
            self.transport.write(head)
            return message
        self.expected_content_length += len(head)
        return message | {"body": b"".join((head, body))}

    def _usual(self) -> bool:
        """Whether nothing but the headers decides about the head."""
        quiet = self.keep_alive and not (self.response_started or self.disconnected or self.flow.write_paused)
        return quiet and self.scope["method"] != "HEAD" and not self.default_headers and not self.access_log


def _parted(status: int, headers: Headers) -> tuple[bytes, int] | None:
    """See :func:`_head`, which makes what recurs; the rest is put at its end."""
    fresh = [header for header in headers if type(header[1]) is Fresh]
    if not fresh:
        return _head(status, headers)
    known = _head(status, tuple(header for header in headers if type(header[1]) is not Fresh))
    if known is None:
        return None
    return known[0][:-2] + b"".join(b"%b: %b\r\n" % header for header in fresh) + b"\r\n", known[1]


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
