"""artifacts/list, and the mlflow-artifacts proxy: files streamed both ways with constant memory."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from logbuch.errors import InvalidInput, NotFound
from logbuch.files import keys
from logbuch.limits import clip
from logbuch.server.answers import Ready
from logbuch.server.context import Context
from logbuch.server.receiving import store_body
from logbuch.server.routes import Permission, Route
from logbuch.server.sending import repr_digest, send_file
from logbuch.store import artifacts, runs
from logbuch.web.protocol import Fresh
from logbuch.wire import mlflow as wire


async def list_of_run(context: Context, request: wire.ListArtifacts) -> Any:
    info = (await context.read(runs.get, request.run)).info
    location = await context.read(runs.artifact_folder, info.run_id)
    shown = "/".join(keys.segments(request.path)) if request.path else ""
    files = await context.files_call(context.files.list, keys.run_key(location, info.run_id, shown), shown)
    return {"root_uri": info.artifact_uri} | wire.present({"files": [wire.file_info(file) for file in files]})


async def list_proxied(context: Context, request: wire.ArtifactPath) -> Any:
    key = await key_of(context, request.path)
    files = await context.files_call(context.files.list, key, "")
    return wire.present({"files": [wire.file_info(file) for file in files]})


async def upload(context: Context, request: Request, path: str) -> Response:
    stored = await store_body(context, request, await file_key(context, path))
    etag, digest = f'"{stored.stat.mark}"', repr_digest(stored.sha256)
    return Ready(b"{}", (b"etag", Fresh(etag.encode())), (b"repr-digest", Fresh(digest.encode())))


async def download(context: Context, request: Request, path: str) -> Response:
    return await send_file(context, request, await key_of(context, path), path, attachment=True)


async def delete(context: Context, request: Request, path: str) -> Any:  # noqa: ARG001
    key = await key_of(context, path)
    with suppress(NotFound):  # deleting again is no error
        await context.files_call(context.files.delete, key)
    context.digests.forget(key)
    await context.write(artifacts.forget, key)
    return {}


async def get_artifact(context: Context, request: wire.GetArtifact, head: Request) -> Response:
    """A file of a run for the page: shown in a sandbox where that is safe, else as a download."""
    folder = await context.read(runs.artifact_folder, request.run)
    return await show(context, head, keys.run_key(folder, request.run, request.path), request.path, request.download)


async def show(context: Context, head: Request, key: str, path: str, download: str) -> Response:
    """A file for the page; ``download`` is empty or 0 where it is to be shown."""
    return await send_file(context, head, key, path, attachment=download not in ("", "0"))


async def file_key(context: Context, path: str) -> str:
    """The key of a file that is to be written; the path of a folder is refused."""
    if path.endswith("/"):
        raise InvalidInput(f"Invalid path: {clip(path)!r} names a folder.")
    return await key_of(context, path)


async def key_of(context: Context, path: str) -> str:
    """The key of a proxied path: its first segment names an experiment, whose location the rest lies in."""
    experiment_id, *rest = keys.segments(path)
    location = await context.location(experiment_id)
    if not rest:
        raise InvalidInput(f"Invalid path: {path[:80]!r} names an experiment, not an artifact.")
    return keys.below(location, rest)


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (Route("GET", "/artifacts/list", wire.ListArtifacts, _READ, list_of_run, "List a run's artifacts"),)
PROXY_ROUTES = (
    Route("GET", "/artifacts", wire.ArtifactPath, _READ, list_proxied, "List a folder"),
    Route("GET", "/artifacts/{path}", None, _READ, download, "Download a file, or a range of it"),
    Route("PUT", "/artifacts/{path}", None, _WRITE, upload, "Upload a file", raw_body=True),
    Route("DELETE", "/artifacts/{path}", None, _WRITE, delete, "Delete a file or a folder"),
)
PAGE_ROUTES = (
    Route("GET", "/get-artifact", wire.GetArtifact, _READ, get_artifact, "Show a file of a run", with_head=True),
)
