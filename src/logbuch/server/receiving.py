"""Files on their way in: received while they are written, with constant memory, and in their place when whole."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from logbuch.errors import InvalidInput, NotFound
from logbuch.files.storage import Expected, Receiving, Stored
from logbuch.limits import clip
from logbuch.server.context import Context
from logbuch.store import artifacts
from logbuch.store.artifacts import Known

BLOCK_BYTES = 1024 * 1024
"""What is handed to a thread at once."""
_DIGEST = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]{1,100}):\s*", re.ASCII)
Blocks = Sequence[bytes]


def expected(request: Request) -> Expected:
    """What the head of a request says of its body: Content-Length, and RFC 9530's Content-Digest or Repr-Digest."""
    given: dict[bytes, bytes] = dict(request.scope["headers"])
    length = given.get(b"content-length", b"")
    return Expected(int(length) if length.isdigit() else None, _sha256(given))


def _sha256(given: Mapping[bytes, bytes]) -> str | None:
    for name in ("content-digest", "repr-digest"):
        for part in given.get(name.encode(), b"").decode("latin-1").split(","):
            found = _DIGEST.fullmatch(part)
            if found is not None:
                try:
                    digest = base64.b64decode(found[1], validate=True)
                except binascii.Error:
                    digest = b""
                if len(digest) != 32:
                    raise InvalidInput(f"Invalid header {name}: its sha-256 is no digest.")
                return digest.hex()
    return None


async def store_body(context: Context, request: Request, key: str) -> Stored:
    """Stores the body of a request as a file, and notes its digest; NotFound where its run or model is gone."""
    wanted = expected(request)
    blocks = body_blocks(request)
    first, more = await anext(blocks)
    if more:
        await check_owner(context, key)
        stored = await _stream(context, key, wanted, first, blocks)
        await keep_owned(context, key)
    else:
        stored = await context.files_call(_store_whole, context, key, wanted, first)
    context.digests.add(Known(key=key, size=stored.stat.size, sha256=stored.sha256, mark=stored.stat.mark))
    return stored


async def check_owner(context: Context, key: str) -> None:
    """Refuses a file whose run or logged model does not exist: nobody would find it, and nothing would remove it."""
    if not await context.read(artifacts.has_owner, key):
        raise _ownerless(key)


async def keep_owned(context: Context, key: str) -> None:
    """Takes a file away whose run or model was erased while it arrived. What is erased after this look goes with it."""
    try:
        await check_owner(context, key)
    except NotFound:
        with suppress(NotFound):
            await context.files_call(context.files.delete, key)
        raise


def _ownerless(key: str) -> NotFound:
    return NotFound(f"The run or model that {clip(key)!r} belongs to does not exist.")


def _store_whole(context: Context, key: str, wanted: Expected, blocks: Blocks) -> Stored:
    """All of it in one thread: what a small file costs is mostly the way from one to the next."""
    if not context.owners.exist(key):
        raise _ownerless(key)
    with context.files.receive(key, wanted) as receiving:
        receiving.write(blocks)
        return receiving.finish()


async def _stream(
    context: Context, key: str, wanted: Expected, first: Blocks, rest: AsyncIterator[tuple[Blocks, bool]]
) -> Stored:
    receiving = await context.files_call(context.files.receive, key, wanted)
    writing: asyncio.Future[None] | None = None
    try:
        writing = asyncio.ensure_future(context.files_call(receiving.write, first))
        async for blocks, _ in rest:  # the next blocks arrive while the last ones are written
            await writing
            writing = asyncio.ensure_future(context.files_call(receiving.write, blocks))
        await writing
        return await context.files_call(receiving.finish)
    except BaseException:
        await _abort(context, receiving, writing)
        raise


async def _abort(context: Context, receiving: Receiving, writing: asyncio.Future[None] | None) -> None:
    if writing is not None:
        await asyncio.gather(writing, return_exceptions=True)
    await asyncio.shield(asyncio.ensure_future(context.files_call(receiving.abort)))


async def body_blocks(request: Request, size: int = BLOCK_BYTES) -> AsyncIterator[tuple[Blocks, bool]]:
    """The body in lists of chunks of about ``size`` bytes together, each with whether more follows; one at least."""
    gathered: list[bytes] = []
    count, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        if chunk:
            gathered.append(chunk)
            count += len(chunk)
        if count >= size or not more:
            yield gathered, more
            gathered, count = [], 0
