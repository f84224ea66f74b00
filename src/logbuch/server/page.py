"""The web page: the built files, and index.html for every address that the page itself routes."""

from __future__ import annotations

import gzip
import html
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from logbuch.errors import LogbuchError

_LASTING = "public, max-age=31536000, immutable"
_ALWAYS_ASK = "no-cache"
_PACKED = (".js", ".css", ".svg")
_NOT_BUILT = (
    "The web page is not part of this checkout yet: build it with `make ui`, or install the released package.\n"
)


class Page:
    """Serves the page below ``prefix``. All files are read at the start: they are small, and rebuilds happen. Each is
    compressed when it is first asked for.

    Its frame bears the live cursor of the moment it was asked for (``cursor``): the page's event stream begins there,
    so that nothing falls between the data that it fetches first and the stream.
    """

    def __init__(self, folder: Path, prefix: str, cursor: Callable[[], Awaitable[int]]) -> None:
        self._prefix = prefix
        self._cursor = cursor
        self._files = {
            "/" + path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self._packed: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        packed = _takes_gzip(Headers(scope=scope).get("accept-encoding", ""))
        answer = await self._answer(scope["method"], scope["path"].removeprefix(self._prefix), packed)
        await answer(scope, receive, send)

    async def _answer(self, method: str, path: str, packed: bool) -> Response:
        if method not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed", 405, {"allow": "GET, HEAD"})
        if path in self._files and path != "/index.html":
            return self._file(path, packed)
        if path.startswith("/assets/"):
            return PlainTextResponse("Not Found", 404)
        if "/index.html" not in self._files:
            return PlainTextResponse(_NOT_BUILT, 503)
        return Response(await self._index(), media_type="text/html", headers={"cache-control": _ALWAYS_ASK})

    def _file(self, path: str, packed: bool) -> Response:
        headers = {"cache-control": _LASTING if path.startswith("/assets/") else _ALWAYS_ASK}
        content = self._files[path]
        if path.endswith(_PACKED):
            headers["vary"] = "accept-encoding"
            if packed:
                headers["content-encoding"] = "gzip"
                content = self._packed.get(path) or self._packed.setdefault(path, gzip.compress(content, mtime=0))
        type_ = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return Response(content, media_type=type_, headers=headers)

    async def _index(self) -> bytes:
        """The page's frame; its relative addresses count from the server's base, whatever the address shown."""
        base = f'<base href="{html.escape(self._prefix)}/">'.encode()
        return self._files["/index.html"].replace(b"<head>", b"<head>" + base + await self._live(), 1)

    async def _live(self) -> bytes:
        try:
            return b'<meta name="logbuch-cursor" content="%d">' % await self._cursor()
        except LogbuchError:  # a store that cannot be read now is shown by the page itself
            return b""


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding (RFC 9110, 12.5.3) names gzip, and not only to refuse it."""
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
