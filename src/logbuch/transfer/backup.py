"""A store in one file: a tar archive of the database, as one snapshot, and of the artifacts that were there then.

    logbuch-backup.json     what it is: the version, the store's ID, when, how many runs and points
    logbuch.db              the database, SQLite whatever it came from
    artifacts/<root>/…      the files below each artifact root; ``default`` is the default one

The database is taken first: what it tells of was there before, and so were the files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from logbuch.errors import InvalidInput, LogbuchError, StoreRefused, Unavailable
from logbuch.files.roots import MARK, OWNER_KEY, Files
from logbuch.files.storage import Opened
from logbuch.store import Store, check
from logbuch.transfer.report import Report
from logbuch.version import __version__

HEAD, DATABASE, ARTIFACTS = "logbuch-backup.json", "logbuch.db", "artifacts"
DEFAULT = "default"
FORMAT = 1
CHUNK_BYTES = 1024 * 1024
Told = Callable[[str, int], None]


def write(store: Store, files: Files | None, file: Path, report: Report, told: Told) -> None:
    """Writes a backup; the file is there when it is whole and on the disk, or not at all."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("xb") as raw:
            with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
                _write_database(store, archive, file.parent, report)
                for root in files.names if files is not None else ():
                    assert files is not None
                    _write_files(files, root, archive, report, told)
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(file)
    except FileExistsError:
        raise InvalidInput(f"{partial} is there: another backup is being written, or one was cut. Remove it.") from None
    except OSError as error:
        if not file.parent.is_dir():
            raise InvalidInput(f"There is no folder {file.parent}.") from None
        _remove(partial)
        raise Unavailable(f"{file} cannot be written: {error.strerror or error}.") from None
    except BaseException:
        _remove(partial)
        raise


def _remove(partial: Path) -> None:
    with suppress(OSError):  # it may not have been made
        partial.unlink()


def judge(file: Path) -> None:
    """Looks at the beginning of a backup. Raises InvalidInput for a file that is none, before anything is made."""
    try:
        with tarfile.open(file) as archive:
            _head(archive, archive.next(), file)
    except (tarfile.TarError, EOFError):
        raise InvalidInput(f"{file} is no backup of Logbuch's.") from None


def restore(file: Path, store: Store, files: Files | None, report: Report, told: Told) -> None:
    """Fills an empty store from a backup. Raises InvalidInput for a file that is none, or is damaged."""
    try:
        with tarfile.open(file) as archive:
            members = iter(archive)
            head = _head(archive, next(members, None), file)
            _restore_database(archive, next(members, None), head, store, file)
            report.source.update(head["holds"])
            for member in members:
                if member.name.endswith(f"/{OWNER_KEY}"):  # backups of buckets had it once: no artifact
                    continue
                report.source["files"] += 1
                if files is not None and member.isreg():
                    _restore_file(archive, member, files, report, told)
    except (tarfile.TarError, EOFError) as error:
        raise InvalidInput(f"{file} is no whole backup: {error}") from None
    sums = store.read(check.sums)
    report.target.update({"runs": sums.rows["runs"], "experiments": sums.rows["experiments"], "points": sums.points})
    for noun, count in head["holds"].items():
        if report.target[noun] != count:
            report.lost(noun, f"{report.target[noun]:,} of {count:,} are there")


# -- the database ------------------------------------------------------------------------------------------------------


def _write_database(store: Store, archive: tarfile.TarFile, folder: Path, report: Report) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".logbuch-backup-") as temporary:
        copy = Path(temporary) / DATABASE
        store.copy(copy)
        holds = _holds(copy)  # which brings its latest values up to date
        with copy.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        report.source.update(holds)
        report.target.update(holds)
        head = {
            "format": FORMAT,
            "version": __version__,
            "store_id": store.id,
            "time": time.time_ns() // 1_000_000,
            "holds": holds,
            "sha256": digest,
        }
        _add(archive, HEAD, json.dumps(head, indent=2).encode())
        archive.add(copy, DATABASE, filter=_plain)


def _holds(copy: Path) -> dict[str, int]:
    from logbuch.store import open_store

    opened = open_store(f"sqlite:///{copy}", seal=False)
    try:
        sums = opened.read(check.sums)
    finally:
        opened.close()
    return {"experiments": sums.rows["experiments"], "runs": sums.rows["runs"], "points": sums.points}


def _restore_database(
    archive: tarfile.TarFile, member: tarfile.TarInfo | None, head: dict[str, Any], store: Store, file: Path
) -> None:
    if member is None or member.name != DATABASE:
        raise InvalidInput(f"{file} is no whole backup: its database is missing.")
    with tempfile.TemporaryDirectory(prefix="logbuch-restore-") as temporary:
        copy = Path(temporary) / DATABASE
        digest = hashlib.sha256()
        with copy.open("wb") as content:
            for chunk in _chunks(_content(archive, member)):
                digest.update(chunk)
                content.write(chunk)
        if digest.hexdigest() != head["sha256"]:
            raise InvalidInput(f"{file} is damaged: its database is not the one that was written.")
        store.fill(copy)


# -- files -------------------------------------------------------------------------------------------------------------


def _write_files(files: Files, root: str, archive: tarfile.TarFile, report: Report, told: Told) -> None:
    storage, _ = files.place(root)
    for found in storage.walk():
        if found.pending:
            continue
        report.source["files"] += 1
        told("files", 1)
        try:
            opened = storage.open(found.key)
        except LogbuchError as error:
            report.lost(f"file {found.key!r}", error.message)
            continue
        try:
            info = tarfile.TarInfo(f"{ARTIFACTS}/{root.removeprefix(MARK) or DEFAULT}/{found.key}")
            info.size, info.mtime = opened.stat.size, opened.stat.modified
            archive.addfile(info, _Reading(opened))
        finally:
            opened.close()
        report.target["files"] += 1


def _restore_file(archive: tarfile.TarFile, member: tarfile.TarInfo, files: Files, report: Report, told: Told) -> None:
    """Puts one file in its place. Its name is a key, which the files judge like any other: nothing is extracted."""
    top, _, rest = member.name.partition("/")
    root, _, key = rest.partition("/")
    told("files", 1)
    try:
        if top != ARTIFACTS or not key:
            raise InvalidInput("that is no file of a backup")
        with files.receive(_checked(key if root == DEFAULT else f"{MARK}{root}/{key}")) as receiving:
            for chunk in _chunks(_content(archive, member)):
                receiving.write((chunk,))
            receiving.finish()
    except LogbuchError as error:
        report.lost(f"file {member.name!r}", error.message)
    else:
        report.target["files"] += 1


def _checked(key: str) -> str:
    from logbuch.files import keys

    mark, _, rest = key.partition("/") if key.startswith(MARK) else ("", "", key)
    return f"{mark}/{keys.join(rest)}" if mark else keys.join(rest)


class _Reading(io.RawIOBase):
    """An opened file as tarfile reads it."""

    def __init__(self, opened: Opened) -> None:
        self._opened, self._at = opened, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        left = self._opened.stat.size - self._at
        wanted = left if size < 0 else min(size, left)
        found = self._opened.read(self._at, wanted) if wanted else b""
        self._at += len(found)
        return found


# -- the archive -------------------------------------------------------------------------------------------------------


def _head(archive: tarfile.TarFile, member: tarfile.TarInfo | None, file: Path) -> dict[str, Any]:
    if member is None or member.name != HEAD:
        raise InvalidInput(f"{file} is no backup of Logbuch's.")
    try:
        head = json.loads(_content(archive, member).read())
        known = head["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(f"{file} is no backup of Logbuch's.") from None
    if not known:
        raise StoreRefused(f"{file} was written by a newer Logbuch ({head.get('version')}).")
    found: dict[str, Any] = head
    return found


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise InvalidInput(f"{member.name!r} is no file.")
    return content


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(CHUNK_BYTES):
        yield chunk


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(content), time.time()
    archive.addfile(info, io.BytesIO(content))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the names of who made it."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info
