"""Files on their way out: whole or a range of them (RFC 9110), with constant memory."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from logbuch.errors import RangeRefused
from logbuch.files.storage import Opened, Stat, windows
from logbuch.limits import DIGITS
from logbuch.server.context import Context

SMALL_BYTES = 256 * 1024
"""Files up to here are read in the same call that opens them."""
_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "text/", "audio/", "video/")
_INLINE_EXACT = ("application/json", "application/pdf")
_TEXTS = (".yaml", ".yml", ".md", ".log", ".toml", ".ini", ".cfg", ".jsonl", ".patch", ".diff")
_RUN = ("text/html", "application/xhtml+xml", "text/xml", "text/css", "application/wasm")
FILE_POLICY = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; media-src 'self'"


async def send_file(context: Context, request: Request, key: str, path: str, *, attachment: bool) -> Response:
    """The answer that carries a file, named by the last part of ``path``."""
    wanted = request.headers
    opened, content = await context.files_call(_open, context, key)
    try:
        headers = _headers(path, opened.stat, attachment=attachment)
        if wanted.get("if-none-match") == headers["etag"]:
            await context.files_call(opened.close)
            return Response(status_code=304, headers={"etag": headers["etag"]})
        span = _span(wanted, opened.stat, headers)
        start, end = span or (0, opened.stat.size)
        status = 206 if span is not None else 200
        if span is not None:
            headers["content-range"] = f"bytes {start}-{end - 1}/{opened.stat.size}"
        headers["content-length"] = str(end - start)
    except BaseException:
        await context.files_call(opened.close)
        raise
    if content is not None:
        return Response(content[start:end], status, headers)
    if request.method == "HEAD":
        await context.files_call(opened.close)
        return Response(b"", status, headers)
    return StreamingResponse(_content(context, opened, start, end), status, headers)


def repr_digest(sha256: str) -> str:
    """A digest as RFC 9530's header has it."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def _open(context: Context, key: str) -> tuple[Opened, bytes | None]:
    opened = context.files.open(key)
    if opened.stat.size > SMALL_BYTES:
        return opened, None
    try:
        return opened, opened.read(0, opened.stat.size) if opened.stat.size else b""
    finally:
        opened.close()


def _headers(path: str, stat: Stat, *, attachment: bool) -> dict[str, str]:
    name = path.rstrip("/").rpartition("/")[2]
    type_ = _media_type(name)
    inline = not attachment and (type_.startswith(_INLINE) or type_ in _INLINE_EXACT)
    return {
        "content-type": f"{type_}; charset=utf-8" if type_.startswith("text/") else type_,
        "content-disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": FILE_POLICY,
        "cache-control": "no-cache",
        "accept-ranges": "bytes",
        "etag": f'"{stat.mark}"',
        "last-modified": formatdate(stat.modified, usegmt=True),
    }


def _span(wanted: Mapping[str, str], stat: Stat, headers: Mapping[str, str]) -> tuple[int, int] | None:
    """The first byte that is wanted and the one behind the last; None for the whole file.

    A range that is asked for on a condition (If-Range) counts only if the file is still the same.
    """
    text = wanted.get("range", "").strip()
    if not text.startswith("bytes=") or not _unchanged(wanted.get("if-range"), stat, headers):
        return None
    if "," in text:
        raise RangeRefused("One range a request is served, not several.", size=stat.size)
    first, dash, last = text.removeprefix("bytes=").strip().partition("-")
    if not dash or not all(_is_number(part) for part in (first, last) if part) or not first + last:
        return None  # what cannot be read is passed over, as the standard says
    if not first:
        start, end = max(0, stat.size - int(last)), stat.size
    else:
        start, end = int(first), min(int(last) + 1, stat.size) if last else stat.size
    if last and first and int(last) < int(first):
        return None
    if start >= end:
        raise RangeRefused(f"The file has {stat.size} bytes; the range {text!r} is outside.", size=stat.size)
    return start, end


def _is_number(text: str) -> bool:
    """Whether this is a place in a file; longer ones are none."""
    return text.isascii() and text.isdigit() and len(text) <= DIGITS


def _unchanged(condition: str | None, stat: Stat, headers: Mapping[str, str]) -> bool:
    if condition is None or condition == headers["etag"]:
        return True
    try:
        return parsedate_to_datetime(condition).timestamp() == int(stat.modified)
    except (ValueError, TypeError):
        return False


def _media_type(name: str) -> str:
    if name.lower().endswith(_TEXTS):
        return "text/plain"
    type_ = mimetypes.guess_type(name)[0] or "application/octet-stream"
    # What a browser would run is shown as text: the page previews HTML in a sandboxed frame of its own, and a script of
    # a run must not be one that the page could load.
    return "text/plain" if type_ in _RUN or type_.endswith(("javascript", "ecmascript")) else type_


async def _content(context: Context, opened: Opened, start: int, end: int) -> AsyncIterator[bytes]:
    """The stretch in windows; the next one is read while the last one is sent."""
    reading: asyncio.Future[bytes] | None = None
    try:
        for read in windows(opened, start, end):
            following = asyncio.ensure_future(context.files_call(read))
            if reading is not None:
                ready = await reading
                reading = following
                yield ready
            reading = following
        if reading is not None:
            ready, reading = await reading, None
            yield ready
    finally:
        if reading is not None:
            await asyncio.gather(reading, return_exceptions=True)
        await asyncio.shield(asyncio.ensure_future(context.files_call(opened.close)))
