"""Uploads that can be gone on with after a cut: in parts, through the server or straight to the object store."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any

from starlette.requests import Request

from logbuch.errors import InvalidInput, LogbuchError, NotFound
from logbuch.files.bucket import BucketFiles
from logbuch.files.disk import LocalFiles
from logbuch.files.parts import BucketParts, DiskParts, Parts, part_size
from logbuch.files.storage import Stat
from logbuch.limits import DIGITS, UPLOAD_BYTES
from logbuch.server.context import Context
from logbuch.server.mlflow.artifacts import file_key
from logbuch.server.receiving import check_owner, expected, keep_owned
from logbuch.server.routes import Permission, Route
from logbuch.store import artifacts
from logbuch.store.artifacts import Known, Upload
from logbuch.web import bodies
from logbuch.wire import files as wire

_SHA256 = re.compile(r"[0-9a-f]{64}")
_slots = asyncio.Semaphore(4)
"""Parts that are in memory at once."""


async def begin(context: Context, request: wire.BeginUpload) -> Any:
    """Begins an upload, or finds the one that was cut; says how many parts have arrived, in order."""
    if not _SHA256.fullmatch(request.sha256):
        raise InvalidInput("Invalid value for parameter 'sha256': it must be 64 hexadecimal digits.")
    if not 0 <= request.size <= UPLOAD_BYTES:
        raise InvalidInput(f"Invalid value {request.size} for parameter 'size': 0 to {UPLOAD_BYTES} bytes are allowed.")
    key = await file_key(context, request.path)
    await check_owner(context, key)
    if await _is_there(context, key, request):
        return {"whole": True, "upload_id": "", "part_bytes": 0, "parts": 0, "urls": []}
    upload = await context.write(artifacts.begin_upload, key, request.size, request.sha256, part_size(request.size))
    parts = await _parts(context, upload)
    if upload.remote is None:
        upload = await _connect(context, upload, parts)
        parts = await _parts(context, upload)
    have = await context.files_call(parts.arrived)
    urls = await context.files_call(parts.urls, have)
    return {
        "whole": False,
        "upload_id": upload.id,
        "part_bytes": upload.part_bytes,
        "parts": have,
        "urls": urls,
    }


async def part(context: Context, request: Request, upload_id: str, number: str) -> Any:
    """Takes one part; numbers begin at 0, and parts come in their order."""
    upload = await _upload(context, upload_id)
    count = -(-upload.size // upload.part_bytes)
    if not _is_number(number) or int(number) >= count:
        raise InvalidInput(f"Invalid part number {number[:20]!r}: the upload has {count} parts, from 0.")
    at = int(number)
    async with _slots:
        content = await bodies.read(request, upload.part_bytes)
        size = min(upload.part_bytes, upload.size - at * upload.part_bytes)
        await context.files_call(_check, expected(request).sha256, size, content)
        parts = await _parts(context, upload)
        await context.files_call(parts.put, at, content)
    context.write_later(artifacts.touch_upload, upload.id)
    return {}


async def complete(context: Context, request: wire.EndUpload) -> Any:
    """Puts the file into its place, if it is what was meant; else all of it is gone."""
    upload = await _upload(context, request.upload_id)
    parts = await _parts(context, upload)
    marks = {int(number): mark for number, mark in request.marks.items() if _is_number(number)}
    try:
        stat: Stat = await context.files_call(parts.finish, marks)
    except InvalidInput:
        await context.files_call(parts.abort)
        await context.write(artifacts.end_upload, upload.id)
        raise
    try:
        await keep_owned(context, upload.key)
    except NotFound:
        await context.write(artifacts.end_upload, upload.id)
        raise
    known = Known(key=upload.key, size=stat.size, sha256=upload.sha256, mark=stat.mark)
    await context.write(artifacts.end_upload, upload.id, known)
    return {}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS


async def _is_there(context: Context, key: str, request: wire.BeginUpload) -> bool:
    """Whether the very same file has its place already, as after an answer that was lost."""
    known = (await context.read(artifacts.find, [key])).get(key)
    if known is None or (known.size, known.sha256) != (request.size, request.sha256):
        return False
    try:
        found: Stat = await context.files_call(context.files.stat, key)
    except (NotFound, InvalidInput):
        return False
    return found.mark == known.mark


async def _upload(context: Context, upload_id: str) -> Upload:
    found = await context.read(artifacts.upload, upload_id) if upload_id.isalnum() else None
    if found is None:
        raise NotFound(f"There is no upload {upload_id[:40]!r}: begin it again.")
    return found


async def _connect(context: Context, upload: Upload, parts: Parts) -> Upload:
    """Begins the upload at the object store too. Two servers may do so at once: one of them gives its own up."""
    remote = await context.files_call(parts.begin)
    try:
        chosen = await context.write(artifacts.connect_upload, upload.id, remote)
    except LogbuchError:
        await context.files_call(parts.abort)
        raise
    if chosen != remote:
        await context.files_call(parts.abort)
    return artifacts.connected(upload, chosen)


async def _parts(context: Context, upload: Upload) -> Parts:
    root, inside = context.files.place(upload.key)
    if isinstance(root, BucketFiles):
        return BucketParts(root, inside, upload)
    assert isinstance(root, LocalFiles)
    return DiskParts(root, inside, upload)


def _check(sha256: str | None, size: int, content: bytes) -> None:
    if len(content) != size:
        raise InvalidInput(f"The part has {len(content)} bytes, not {size}.")
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidInput("The part was damaged on its way. Send it again.")


_WRITE = Permission.WRITE
ROUTES = (
    Route("POST", "/uploads/begin", wire.BeginUpload, _WRITE, begin, "Begin or go on with an upload in parts"),
    Route("PUT", "/uploads/{upload_id}/{number}", None, _WRITE, part, "Send a part", raw_body=True),
    Route("POST", "/uploads/complete", wire.EndUpload, _WRITE, complete, "Put an upload into its place"),
)
