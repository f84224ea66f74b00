"""What is known of files beyond what their place tells: digests, uploads under way, and what is to be removed.

Keys are those of :mod:`logbuch.files`; here they are texts like others.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, select, update

from logbuch.limits import is_run_id
from logbuch.model import Noun
from logbuch.store import heads, schema
from logbuch.store.model_tables import logged_models
from logbuch.store.tx import Tx, beside_latest, chunks

_artifacts, _uploads, _removals = schema.artifacts, schema.uploads, schema.removals


class Known(Noun, frozen=True, kw_only=True):
    """A whole file: bytes, hexadecimal sha256 (None where nobody has told it), and the mark of the content."""

    key: str
    size: int
    sha256: str | None
    mark: str


class Upload(Noun, frozen=True, kw_only=True):
    """An upload in parts of ``part_bytes`` (the last may be smaller); ``time`` is when it was last heard of (ms)."""

    id: str
    key: str
    size: int
    sha256: str
    part_bytes: int
    remote: str | None
    time: int


def record(tx: Tx, *files: Known) -> None:
    """Notes files that have become whole, each key once; what was known by their keys before is forgotten."""
    now = tx.now()
    rows = [
        {"key": known.key, "size": known.size, "sha256": known.sha256, "mark": known.mark, "time": now}
        for known in sorted(files, key=lambda known: known.key)  # in one order, so that two servers never deadlock
    ]
    tx.insert(tx.seam.upsert(_artifacts, _anew), rows)


@beside_latest
def find(tx: Tx, keys: Iterable[str]) -> dict[str, Known]:
    """What is known of the files with these keys."""
    found: dict[str, Known] = {}
    for part in chunks(list(keys)):
        for row in tx.execute(select(_artifacts).where(_artifacts.c.key.in_(part))):
            found[row.key] = Known(key=row.key, size=row.size, sha256=row.sha256, mark=row.mark)
    return found


def forget(tx: Tx, key: str) -> None:
    """Forgets a file, or all files of a folder."""
    tx.change(delete(_artifacts).where((_artifacts.c.key == key) | _below(_artifacts.c.key, key)))


@beside_latest
def has_owner(tx: Tx, key: str) -> bool:
    """Whether the run or the logged model that a key lies below exists; true of keys that lie below neither.

    A key is ``<location>/<run>/artifacts/…`` or ``<location>/models/<model>/artifacts/…``. The location, and the path
    in the run, may hold folders named ``artifacts`` too: then one owner is enough.
    """
    names = owners(key)
    if not names:
        return True
    runs = [name for name in sorted(names) if is_run_id(name)]
    if runs and heads.fetch(tx, runs):
        return True
    own = logged_models.c.model_id
    return tx.execute(select(own).where(own.in_(sorted(names))).limit(1)).first() is not None


def owners(key: str) -> frozenset[str]:
    """What may be the ID of the run or the logged model that a key lies below."""
    names = key.split("/")
    return frozenset(name for name, after in pairwise(names) if after == "artifacts")


# -- uploads in parts ------------------------------------------------------------------------------------------------


def begin_upload(tx: Tx, key: str, size: int, sha256: str, part_bytes: int) -> Upload:
    """The upload of this content to this key that is under way, or a new one."""
    mine = (_uploads.c.key == key) & (_uploads.c.size == size) & (_uploads.c.sha256 == sha256)
    row = tx.execute(select(_uploads).where(mine).order_by(_uploads.c.time.desc()).limit(1)).mappings().first()
    if row is not None:
        touch_upload(tx, row["id"])
        return Upload(**row)
    values: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "key": key,
        "size": size,
        "sha256": sha256,
        "part_bytes": part_bytes,
        "remote": None,
        "time": tx.now(),
    }
    tx.insert(_uploads.insert(), [values])
    return Upload(**values)


@beside_latest
def upload(tx: Tx, upload_id: str) -> Upload | None:
    """An upload that is under way."""
    row = tx.execute(select(_uploads).where(_uploads.c.id == upload_id)).mappings().first()
    return None if row is None else Upload(**row)


def touch_upload(tx: Tx, upload_id: str) -> None:
    """Notes that an upload was heard of."""
    tx.change(update(_uploads).where(_uploads.c.id == upload_id).values(time=tx.now()))


def connect_upload(tx: Tx, upload_id: str, remote: str) -> str:
    """Notes the object store's ID of an upload, unless another server was faster; the one that holds."""
    free = (_uploads.c.id == upload_id) & _uploads.c.remote.is_(None)
    tx.change(update(_uploads).where(free).values(remote=remote))
    found = tx.execute(select(_uploads.c.remote).where(_uploads.c.id == upload_id)).scalar()
    return str(found or remote)


def connected(upload: Upload, remote: str) -> Upload:
    """An upload with the object store's ID of it."""
    return msgspec.structs.replace(upload, remote=remote)


def end_upload(tx: Tx, upload_id: str, known: Known | None = None) -> None:
    """Forgets an upload; of one that ended well the file is noted."""
    tx.change(delete(_uploads).where(_uploads.c.id == upload_id))
    if known is not None:
        record(tx, known)


@beside_latest
def uploads_before(tx: Tx, time: int) -> list[Upload]:
    """The uploads that were last heard of before a time (ms)."""
    return [Upload(**row) for row in tx.execute(select(_uploads).where(_uploads.c.time < time)).mappings()]


@beside_latest
def uploads_known(tx: Tx) -> set[str]:
    """The IDs of all uploads under way, and those that the object store knows them by."""
    rows = tx.execute(select(_uploads.c.id, _uploads.c.remote))
    return {name for row in rows for name in row if name is not None}


# -- what is to be removed -------------------------------------------------------------------------------------------


def doom(tx: Tx, prefixes: Sequence[str]) -> None:
    """Notes folders whose runs are erased, so that a server that ends before they are removed leaves a trace."""
    now = tx.now()
    tx.insert(tx.seam.upsert(_removals, None), [{"prefix": prefix, "time": now} for prefix in prefixes])


@beside_latest
def doomed(tx: Tx) -> list[str]:
    """The folders that are to be removed; not those whose run exists again."""
    prefixes = list(tx.execute(select(_removals.c.prefix).order_by(_removals.c.time)).scalars())
    names = {prefix.rpartition("/")[2] for prefix in prefixes}
    alive = heads.fetch(tx, sorted(names))
    return [prefix for prefix in prefixes if prefix.rpartition("/")[2] not in alive]


def removed(tx: Tx, prefix: str) -> None:
    """Notes that a folder is gone."""
    tx.change(delete(_removals).where(_removals.c.prefix == prefix))
    forget(tx, prefix)


def _below(column: ColumnElement[str], key: str) -> ColumnElement[bool]:
    """The keys below a folder: a stretch of the index, for ``0`` follows ``/``."""
    return (column > f"{key}/") & (column < f"{key}0")


def _anew(new: Any) -> Mapping[str, Any]:
    return {name: new[name] for name in ("size", "sha256", "mark", "time")}
