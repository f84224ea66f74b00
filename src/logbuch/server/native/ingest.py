"""Native ingest: the handshake, batches of journals, and what was refused of a run. See docs/reference/ingest.md."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import journals
from logbuch.store.tx import Tx
from logbuch.version import __version__
from logbuch.web import bodies
from logbuch.wire import ingest as wire
from logbuch.wire import intake
from logbuch.wire import native as requests

_LIMITS = {
    "body_bytes": limits.INGEST_BODY_BYTES,
    "records": limits.INGEST_RECORDS,
    "keys": limits.INGEST_KEYS,
    "params": limits.PARAMS_PER_BATCH,
    "tags": limits.TAGS_PER_BATCH,
    "datasets": limits.DATASETS_PER_CALL,
    "journals": limits.INGEST_JOURNALS,
    "refusals": limits.REFUSALS_PER_PAGE,
}


async def hello(context: Context, request: requests.Hello) -> Any:
    if len(request.journals) > limits.INGEST_JOURNALS:
        raise InvalidInput(f"'journals' names {len(request.journals)}; at most {limits.INGEST_JOURNALS} are allowed.")
    for known in request.journals:
        _check_journal(known)
    return {
        "store_id": context.store.id,
        "server_version": __version__,
        "versions": wire.VERSIONS,
        "kinds": wire.KINDS,
        "encodings": [wire.CONTENT_ENCODING],
        "limits": _LIMITS,
        "journals": await context.read(_positions, request.journals),
    }


async def take(context: Context, request: Request) -> Any:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wire.CONTENT_TYPE:
        raise InvalidInput(f"Bad Request. Content-Type must be '{wire.CONTENT_TYPE}'.")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", wire.CONTENT_ENCODING):
        raise InvalidInput(f"Bad Request. Content-Encoding must be '{wire.CONTENT_ENCODING}' or absent.")
    body = await bodies.read(request, limits.INGEST_BODY_BYTES)
    compressed = encoding == wire.CONTENT_ENCODING
    if compressed or len(body) > bodies.LARGE_BYTES:  # a small body may be large once it is decompressed
        batch = await context.call(intake.decode, body, compressed=compressed)
    else:
        batch = intake.decode(body)
    return await context.write(journals.ingest, batch)


async def refusals(context: Context, request: requests.RefusalsRequest) -> Any:
    return await context.read(journals.refusals_of_run, request.run_id)


def _positions(tx: Tx, known: list[requests.KnownJournal]) -> list[Any]:
    """Where each journal stands, and the refusals that its client may not know, as many as one answer holds."""
    found, room = [], limits.REFUSALS_PER_PAGE
    for one in known:
        position = journals.position(tx, one.journal)
        refused = journals.refusals_after(tx, one.journal, one.acknowledged, room + 1)
        more, refused = len(refused) > room, refused[:room]
        room -= len(refused)
        found.append(
            {
                "journal": one.journal,
                "sequence": position.sequence,
                "chain": position.chain,
                "refused": refused,
                "more": more,
            }
        )
    return found


def _check_journal(known: requests.KnownJournal) -> None:
    if not wire.is_journal(known.journal):
        raise InvalidInput(
            f"Invalid value {limits.clip(known.journal)!r} for parameter 'journal': it is no journal ID."
        )
    limits.check_integer(known.acknowledged, "acknowledged")


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("POST", "/ingest/hello", requests.Hello, _WRITE, hello, "What the server takes, and where journals stand"),
    Route(
        "POST", "/ingest", None, _WRITE, take, "Take a batch of a journal", raw_body=True, media_type=wire.CONTENT_TYPE
    ),
    Route("GET", "/runs/refusals", requests.RefusalsRequest, _READ, refusals, "Records of a run that were refused"),
)
