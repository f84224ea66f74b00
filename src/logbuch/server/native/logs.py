"""The console output of a run: pages of lines, a search, and all of it as text. See docs/reference/logs.md."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response, StreamingResponse

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import logs
from logbuch.wire import native as wire

TEXT_LENGTH = 1000


async def page(context: Context, request: wire.LogRequest) -> Any:
    limits.check_page_size(request.limit, "limit", limits.LOG_LINES_PER_PAGE)
    if request.after is not None and request.before is not None:
        raise InvalidInput("Give either 'after' or 'before', not both.")
    for name in ("after", "before"):
        _check_line(getattr(request, name), name)
    head, lines = await context.read(logs.page, request.run_id, request.after, request.before, request.limit)
    return {
        "total": head.total,
        "kept_from": head.first,
        "dropped": head.dropped,
        "first": lines.first,
        "origins": [{"source": origin.source, "stream": origin.stream} for origin in lines.origins],
        "origin": lines.origin,
        "times": lines.times,
        "texts": lines.texts,
        "open": [
            {"source": line.source, "stream": line.stream, "time": line.time, "text": line.text} for line in head.open
        ],
    }


async def search(context: Context, request: wire.LogSearchRequest) -> Any:
    limits.check_page_size(request.limit, "limit", limits.LOG_LINES_PER_PAGE)
    _check_line(request.after, "after")
    if not 1 <= len(request.text) <= TEXT_LENGTH:
        raise InvalidInput(f"Invalid value for parameter 'text': it must have 1 to {TEXT_LENGTH} characters.")
    found = await context.read(
        logs.find, request.run_id, request.text, request.after, request.limit, ignore_case=request.ignore_case
    )
    return {"numbers": found.numbers, "texts": found.texts, "after": found.after}


async def as_text(context: Context, request: wire.LogTextRequest) -> Response:
    # The first page is read before the answer begins, so that an unknown run is an error and no torn file.
    first = await context.read(logs.page, request.run_id, 0, None, limits.LOG_LINES_PER_PAGE)
    headers = {"content-disposition": f'attachment; filename="{request.run_id}.log"', "cache-control": "no-store"}
    parts = _text(context, request, first)
    return StreamingResponse(parts, headers=headers, media_type="text/plain; charset=utf-8")


async def _text(context: Context, request: wire.LogTextRequest, found: logs.LogPage) -> AsyncIterator[bytes]:
    if found.head.first > 1:
        yield f"# {found.head.first - 1} older lines are not kept\n".encode()
    while found.lines.texts:
        yield await context.call(_lines, found.lines, request.ansi)
        last = found.lines.first + len(found.lines.texts) - 1
        found = await context.read(logs.page, request.run_id, last, None, limits.LOG_LINES_PER_PAGE)
    for line in found.head.open:
        yield _line(line.time, line, line.text, request.ansi).encode()


def _lines(lines: logs.Lines, ansi: bool) -> bytes:
    rows = zip(lines.times, lines.origin, lines.texts, strict=True)
    return "".join(_line(time, lines.origins[origin], text, ansi) for time, origin, text in rows).encode()


def _line(time: int, origin: logs.Origin | logs.OpenLine, text: str, ansi: bool) -> str:
    shown = text if ansi else logs.without_escapes(text)
    return f"{_moment(time)} {origin.source or '-'} {origin.stream} {shown}\n"


def _moment(time: int) -> str:
    try:
        return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):  # a client may have sent any number
        return str(time)


def _check_line(number: int | None, name: str) -> None:
    if number is not None and not 0 <= number <= limits.INT64_MAX - limits.LOG_LINES_PER_PAGE:
        raise InvalidInput(f"Invalid value {number} for parameter '{name}': it is no line number.")


_READ = Permission.READ
ROUTES = (
    Route("GET", "/runs/logs", wire.LogRequest, _READ, page, "Lines of a run's console output"),
    Route("GET", "/runs/logs/search", wire.LogSearchRequest, _READ, search, "Lines that contain a text"),
    Route("GET", "/runs/logs.txt", wire.LogTextRequest, _READ, as_text, "All console output of a run as text"),
)
