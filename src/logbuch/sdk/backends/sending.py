"""Files on their way to a server: small ones at once, large ones in parts, which go on where they were cut."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from logbuch.errors import EndpointNotFound, InvalidInput, NotFound, NotImplementedHere, Unavailable
from logbuch.sdk.backends.progress import Bar, tracked

PARTED_BYTES = 32 * 1024 * 1024
"""Files from here on are sent in parts; what is smaller is sent again as a whole just as quickly."""
CHUNK_BYTES = 1024 * 1024
BEGINNINGS = 3
_API = "/api/logbuch/1/uploads/"


class Way(Protocol):
    """How requests reach the server; see :class:`logbuch.sdk.backends.transport.Transport`."""

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]: ...
    def put(self, path: str, content: Callable[[], Iterator[bytes]], headers: dict[str, str]) -> None: ...
    def put_past(self, url: str, content: bytes) -> str:
        """PUTs to an address that needs no credentials of ours, and returns the ETag; Unavailable if it fails."""


def send(way: Way, place: str, path: str, file: Path, content_type: str, *, parts: bool = True) -> None:
    """Sends a file to ``path`` of the artifact proxy, whose address is ``place``. It is checked on arrival."""
    bar = Bar(file.name, file.stat().st_size)
    try:
        _send(way, place, path, file, content_type, parts, bar)
    finally:
        bar.close()


def _send(way: Way, place: str, path: str, file: Path, content_type: str, parts: bool, bar: Bar) -> None:
    size = file.stat().st_size
    sha256 = _sha256(file)
    if parts and size >= PARTED_BYTES:
        try:
            _send_parts(way, path, file, size, sha256.hexdigest(), bar)
            return
        except (EndpointNotFound, NotImplementedHere):
            pass  # a server of MLflow's
    headers = {"Content-Type": content_type, "Content-Length": str(size), "Content-Digest": _header(sha256.digest())}
    way.put(place, lambda: tracked(_stretch(file, 0, size), bar), headers)


def _send_parts(way: Way, path: str, file: Path, size: int, sha256: str, bar: Bar) -> None:
    for left in range(BEGINNINGS - 1, -1, -1):
        begun = way.post(_API + "begin", {"path": path, "size": size, "sha256": sha256})
        if begun.get("whole"):
            return
        try:
            marks = _send_rest(way, begun, file, size, bar)
            way.post(_API + "complete", {"upload_id": begun["upload_id"], "marks": marks})
            return
        except (NotFound, InvalidInput):
            if left == 0:  # it was given up meanwhile, or damaged
                raise


def _send_rest(way: Way, begun: dict[str, Any], file: Path, size: int, bar: Bar) -> dict[str, str]:
    """Sends the parts that have not arrived; the store's marks of those that went there directly."""
    part_bytes, first = int(begun["part_bytes"]), int(begun["parts"])
    urls: Sequence[str] = begun.get("urls") or ()
    marks: dict[str, str] = {}
    for number in range(first, -(-size // part_bytes)):
        bar.reach(number * part_bytes)
        content = b"".join(_stretch(file, number * part_bytes, min(part_bytes, size - number * part_bytes)))
        if urls:
            try:
                marks[str(number)] = way.put_past(urls[number - first], content)
                continue
            except Unavailable:
                urls = ()  # the store cannot be reached from here: the server can
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(content))}
        headers["Content-Digest"] = _header(hashlib.sha256(content).digest())
        way.put(f"{_API}{begun['upload_id']}/{number}", lambda content=content: iter((content,)), headers)  # type: ignore[misc]
    return marks


def _stretch(file: Path, start: int, size: int) -> Iterator[bytes]:
    with file.open("rb") as opened:
        opened.seek(start)
        while size > 0 and (chunk := opened.read(min(CHUNK_BYTES, size))):
            size -= len(chunk)
            yield chunk


def _sha256(file: Path) -> Any:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256")


def _header(digest: bytes) -> str:
    return f"sha-256=:{base64.b64encode(digest).decode()}:"
