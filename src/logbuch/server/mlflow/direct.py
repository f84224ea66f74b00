"""Transfer between clients and the object store itself: MLflow's multipart uploads and signed addresses.

It is offered where the files lie in a bucket and the administrator has named an address of the store that clients
reach. Everywhere else the answers are those on which MLflow's client falls back to sending through the server.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from logbuch.errors import InvalidInput, NotImplementedHere
from logbuch.files import keys
from logbuch.files.bucket import MOST_PARTS, SIGNED_SECONDS, BucketFiles
from logbuch.server.context import Context
from logbuch.server.mlflow.artifacts import key_of
from logbuch.server.receiving import check_owner, keep_owned
from logbuch.server.routes import Permission, Route
from logbuch.store import artifacts, runs
from logbuch.wire import files as wire

NO_MULTIPART = "Multipart upload is not supported for the current artifact repository"
"""MLflow's client looks for these words before it falls back."""
NO_SIGNING = "Presigned transfer is not supported for the current artifact repository"
LONGEST_SECONDS = 7 * 24 * 3600
"""Signatures of S3's are good for a week at most."""


async def create(context: Context, request: wire.CreateMultipart, path: str) -> Any:
    whole = await _file_key(context, path, request.path)
    bucket, key = _bucket(context, whole, NO_MULTIPART)
    await check_owner(context, whole)
    if not 1 <= request.num_parts <= MOST_PARTS:
        raise InvalidInput(
            f"Invalid value {request.num_parts} for parameter 'num_parts': 1 to {MOST_PARTS} are allowed."
        )
    upload_id = await context.files_call(bucket.begin, key)
    urls = await context.files_call(_part_urls, bucket, key, upload_id, request.num_parts)
    parts = [{"url": url, "part_number": number, "headers": {}} for number, url in enumerate(urls, 1)]
    return {"upload_id": upload_id, "credentials": parts}


async def complete(context: Context, request: wire.CompleteMultipart, path: str) -> Any:
    whole = await _file_key(context, path, request.path)
    bucket, key = _bucket(context, whole, NO_MULTIPART)
    marks = {part.part_number: part.etag.strip('"') for part in request.parts}
    if not marks or len(marks) != len(request.parts):
        raise InvalidInput("Invalid value for parameter 'parts': each part must be named once, and one at least.")
    stat = await context.files_call(bucket.complete, key, request.upload_id, marks)
    await keep_owned(context, whole)
    known = artifacts.Known(key=whole, size=stat.size, sha256=None, mark=stat.mark)
    await context.write(artifacts.record, known)
    return {}


async def abort(context: Context, request: wire.AbortMultipart, path: str) -> Any:
    bucket, key = _bucket(context, await _file_key(context, path, request.path), NO_MULTIPART)
    await context.files_call(bucket.abort, key, request.upload_id)
    return {}


async def presigned(context: Context, request: Request, path: str) -> Any:  # noqa: ARG001
    """A signed address of a file, for a client that reads its parts itself."""
    bucket, key = _bucket(context, await key_of(context, path), NO_SIGNING)
    stat = await context.files_call(bucket.stat, key)
    return {"url": await context.files_call(bucket.sign_get, key), "headers": {}, "file_size": stat.size}


async def presigned_download(context: Context, request: wire.Presign) -> Any:
    bucket, key = await _of_run(context, request)
    stat = await context.files_call(bucket.stat, key)
    url = await context.files_call(bucket.sign_get, key, _seconds(request))
    return {"presigned_url": url, "headers": {}, "file_size": stat.size}


async def presigned_upload(context: Context, request: wire.Presign) -> Any:
    bucket, key = await _of_run(context, request)
    return {"presigned_url": await context.files_call(bucket.sign_put, key, _seconds(request)), "headers": {}}


async def _of_run(context: Context, request: wire.Presign) -> tuple[BucketFiles, str]:
    if not request.run_id:
        raise InvalidInput("Missing value for required parameter 'run_id'.")
    folder = await context.read(runs.artifact_folder, request.run_id)
    return _bucket(context, keys.run_key(folder, request.run_id, request.path), NO_SIGNING)


async def _file_key(context: Context, folder: str, name: str) -> str:
    """MLflow's client names the folder in the address, and the file by its path on the client's own disk."""
    return await key_of(context, f"{folder.rstrip('/')}/{name.replace(chr(92), '/').rpartition('/')[2]}")


def _bucket(context: Context, key: str, otherwise: str) -> tuple[BucketFiles, str]:
    root, inside = context.files.place(key)
    if not isinstance(root, BucketFiles) or not root.signs:
        raise NotImplementedHere(otherwise)
    return root, inside


def _part_urls(bucket: BucketFiles, key: str, upload_id: str, count: int) -> list[str]:
    return [bucket.sign_part(key, upload_id, number) for number in range(1, count + 1)]


def _seconds(request: wire.Presign) -> int:
    seconds = SIGNED_SECONDS if request.expiration is None else request.expiration
    if not 1 <= seconds <= LONGEST_SECONDS:
        raise InvalidInput(f"Invalid value {seconds} for parameter 'expiration': 1 to {LONGEST_SECONDS} s are allowed.")
    return seconds


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("POST", "/artifacts/presigned-upload-url", wire.Presign, _WRITE, presigned_upload, "Sign an upload"),
    Route("POST", "/artifacts/presigned-download-url", wire.Presign, _READ, presigned_download, "Sign a download"),
)
PROXY_ROUTES = (
    Route("POST", "/mpu/create/{path}", wire.CreateMultipart, _WRITE, create, "Begin an upload in parts"),
    Route("POST", "/mpu/complete/{path}", wire.CompleteMultipart, _WRITE, complete, "Make a file of the parts"),
    Route("POST", "/mpu/abort/{path}", wire.AbortMultipart, _WRITE, abort, "Give an upload in parts up"),
    Route("GET", "/presigned/{path}", None, _READ, presigned, "Sign a download"),
)
