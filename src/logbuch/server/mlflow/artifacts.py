"""artifacts/list, and the mlflow-artifacts proxy: files streamed both ways with constant memory."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, BinaryIO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from logbuch.errors import InvalidInput, NotFound, NotImplementedHere
from logbuch.files import keys
from logbuch.files.disk import CHUNK_BYTES
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import experiments, runs
from logbuch.wire import mlflow as wire

_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "text/", "audio/", "video/")
_INLINE_EXACT = ("application/json", "application/pdf")
_TEXTS = (".yaml", ".yml", ".md", ".log", ".toml", ".ini", ".cfg", ".jsonl", ".patch", ".diff")
FILE_POLICY = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; media-src 'self'"


async def list_of_run(context: Context, request: wire.ListArtifacts) -> Any:
    info = (await context.read(runs.get, request.run)).info
    location = await context.read(runs.artifact_folder, info.run_id)
    shown = "/".join(keys.segments(request.path)) if request.path else ""
    files = await context.call(context.files.list, keys.run_key(location, info.run_id, shown), shown)
    return {"root_uri": info.artifact_uri} | wire.present({"files": [wire.file_info(file) for file in files]})


async def list_proxied(context: Context, request: wire.ArtifactPath) -> Any:
    key = await _key(context, request.path)
    files = await context.call(context.files.list, key, "")
    return wire.present({"files": [wire.file_info(file) for file in files]})


async def upload(context: Context, request: Request, path: str) -> Any:
    key = await _key(context, path)
    writing = context.files.writing(key)
    file = await context.call(writing.__enter__)
    try:
        async for block in _blocks(request):
            await context.call(file.write, block)
    except BaseException as error:
        await context.call(writing.__exit__, type(error), error, error.__traceback__)
        raise
    await context.call(writing.__exit__, None, None, None)
    return {}


async def download(context: Context, request: Request, path: str) -> Response:  # noqa: ARG001
    file = await context.call(context.files.open, await _key(context, path))
    return await _streamed(context, file, path, attachment=True)


async def delete(context: Context, request: Request, path: str) -> Any:  # noqa: ARG001
    key = await _key(context, path)
    with suppress(NotFound):  # deleting again is no error
        await context.call(context.files.delete, key)
    return {}


async def get_artifact(context: Context, request: wire.GetArtifact) -> Response:
    """A file of a run for the page: shown in a sandbox where that is safe, else as a download."""
    info = (await context.read(runs.get, request.run)).info
    location = await context.read(runs.artifact_folder, info.run_id)
    return await show(context, keys.run_key(location, info.run_id, request.path), request.path, request.download)


async def show(context: Context, key: str, path: str, download: str) -> Response:
    """A file for the page; ``download`` is empty or 0 where it is to be shown."""
    file = await context.call(context.files.open, key)
    return await _streamed(context, file, path, attachment=download not in ("", "0"))


async def not_here(context: Context, request: Request, path: str = "") -> Any:  # noqa: ARG001
    """Multipart and presigned transfer: clients fall back to the proxy on this answer."""
    raise NotImplementedHere("This server's artifact storage has no multipart or presigned transfer.")


async def _key(context: Context, path: str) -> str:
    """The key of a proxied path: its first segment names an experiment, whose location the rest lies in."""
    experiment_id, *rest = keys.segments(path)
    location = await context.read(experiments.location, experiment_id)
    if not rest:
        raise InvalidInput(f"Invalid path: {path[:80]!r} names an experiment, not an artifact.")
    return keys.join(location, *rest)


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    """The body in blocks worth a thread's time."""
    gathered = bytearray()
    async for chunk in request.stream():
        gathered += chunk
        if len(gathered) >= CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _streamed(context: Context, file: BinaryIO, path: str, *, attachment: bool) -> Response:
    name = path.rstrip("/").rpartition("/")[2]
    type_ = _media_type(name)
    inline = not attachment and (type_.startswith(_INLINE) or type_ in _INLINE_EXACT)
    size = await context.call(lambda: file.seek(0, 2))
    await context.call(file.seek, 0)
    headers = {
        "content-disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": FILE_POLICY,
        "content-length": str(size),
        "cache-control": "no-cache",
    }
    return StreamingResponse(_content(context, file, size), headers=headers, media_type=type_)


def _media_type(name: str) -> str:
    if name.lower().endswith(_TEXTS):
        return "text/plain"
    type_ = mimetypes.guess_type(name)[0] or "application/octet-stream"
    # What a browser would run is shown as text: the page previews HTML in a sandboxed frame of its own.
    return "text/plain" if type_ in ("text/html", "application/xhtml+xml", "text/xml") else type_


async def _content(context: Context, file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    try:
        while size > 0 and (block := await context.call(file.read, min(size, CHUNK_BYTES))):
            size -= len(block)
            yield block
    finally:
        file.close()


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("GET", "/artifacts/list", wire.ListArtifacts, _READ, list_of_run, "List a run's artifacts"),
    Route("POST", "/artifacts/presigned-upload-url", None, _WRITE, not_here, "Not offered"),
    Route("POST", "/artifacts/presigned-download-url", None, _READ, not_here, "Not offered"),
)
PROXY_ROUTES = (
    Route("GET", "/artifacts", wire.ArtifactPath, _READ, list_proxied, "List a folder"),
    Route("GET", "/artifacts/{path}", None, _READ, download, "Download a file"),
    Route("PUT", "/artifacts/{path}", None, _WRITE, upload, "Upload a file", raw_body=True),
    Route("DELETE", "/artifacts/{path}", None, _WRITE, delete, "Delete a file or a folder"),
    Route("POST", "/mpu/create/{path}", None, _WRITE, not_here, "Not offered"),
    Route("POST", "/mpu/complete/{path}", None, _WRITE, not_here, "Not offered"),
    Route("POST", "/mpu/abort/{path}", None, _WRITE, not_here, "Not offered"),
    Route("GET", "/presigned/{path}", None, _READ, not_here, "Not offered"),
)
PAGE_ROUTES = (Route("GET", "/get-artifact", wire.GetArtifact, _READ, get_artifact, "Show a file of a run"),)
