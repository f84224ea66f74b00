"""Files of a run on their way to the backend, and back."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from logbuch.errors import InvalidInput, LogbuchError, NotFound, Unavailable
from logbuch.limits import clip
from logbuch.model import FileInfo
from logbuch.sdk.artifacts import archives
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.backends.calls import arrived
from logbuch.sdk.backends.progress import Bar, tracked
from logbuch.sdk.connection import Connection
from logbuch.sdk.writer import RunWriter

logger = logging.getLogger("logbuch")
SPOOL_BYTES = 256 * 1024 * 1024
"""Larger files are sent while the caller waits, which is quicker than to copy them first."""


def check_path(path: str, field: str = "artifact_file") -> str:
    """A path below a run's artifacts: relative, with ``/``, without empty, ``.`` or ``..`` parts."""
    text = str(path)
    parts = text.split("/")
    if not text or "\\" in text or "\0" in text or any(part in ("", ".", "..") for part in parts):
        raise InvalidInput(f"Invalid {field} {clip(text)!r}: it must be a relative path of normal parts.")
    return text


def join(folder: str | None, name: str) -> str:
    """A checked path from an optional folder and a name."""
    parts = [part for part in ((folder or "").strip("/"), name) if part]
    return check_path("/".join(parts), "artifact_path")


def put_content(connection: Connection, writer: RunWriter, path: str, content: bytes) -> None:
    """Sends content as a file of the run. Only wrong use raises; what cannot be kept is counted and warned about."""
    check_path(path)
    with never_fatal(connection, writer, path):
        kept = connection.spool.keep(content, for_long=connection.backend.spools)
        if kept is None:
            raise Unavailable("there is no room for a copy of it")
        if not connection.backend.spools:
            try:
                connection.backend.upload(writer.info, path, kept)
            except Unavailable:
                pass  # nothing takes it now: the copy waits, like one that is meant for a server
            except BaseException:
                kept.unlink()
                raise
            else:
                kept.unlink()
                return
        writer.file(connection.spool.upload(writer.info, path, kept))


def put_file(connection: Connection, writer: RunWriter, local: Path, path: str) -> None:
    """Sends a file of the disk, as it is now."""
    check_path(path)
    with never_fatal(connection, writer, path):
        if connection.backend.spools and (local.stat().st_size <= SPOOL_BYTES or connection.backend.silent):
            _queue_copy(connection, writer, local, path)
            return
        try:
            connection.backend.upload(arrived(connection.backend, writer.info), path, local)
        except Unavailable:
            _queue_copy(connection, writer, local, path)


def put_archive(connection: Connection, writer: RunWriter, folder: Path, path: str | None, kind: str) -> None:
    """Packs a folder and sends the archive."""
    chosen = archives.check_kind(kind)
    target = join(path, archives.name_of(folder, chosen))
    with never_fatal(connection, writer, target), tempfile.TemporaryDirectory(prefix="logbuch-") as place:
        packed = Path(place) / "archive"
        archives.pack(local_files(folder), chosen, packed)
        put_file(connection, writer, packed, target)


def local_files(place: str | os.PathLike[str]) -> Iterator[tuple[Path, str]]:
    """The files of a folder, or the file itself, each with its path relative to the folder (or its name)."""
    root = Path(place)
    if root.is_file():
        yield root, root.name
        return
    if not root.is_dir():
        raise InvalidInput(f"No such file or folder: {str(place)!r}")
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file():
                yield file, file.relative_to(root).as_posix()


def fetch(backend: Backend, run_id: str, path: str, target: str | None) -> Path:
    """Downloads a file or a folder of a run below ``target`` (a new temporary folder by default)."""
    run = backend.get_run(run_id).info
    return _fetch(
        lambda folder: backend.list_artifacts(run, folder),
        lambda file: backend.download(run, file),
        path,
        target,
        f"Run {run_id}",
    )


def fetch_location(backend: Backend, location: str, path: str, target: str | None) -> Path:
    """Downloads a file or a folder below ``mlflow-artifacts:/…``, as :func:`fetch` does."""
    return _fetch(
        lambda folder: backend.list_location(location, folder),
        lambda file: backend.download_location(location, file),
        path,
        target,
        location,
    )


def _fetch(
    listing: Callable[[str], list[FileInfo]],
    download: Callable[[str], Iterator[bytes]],
    path: str,
    target: str | None,
    owner: str,
) -> Path:
    base = Path(target) if target is not None else Path(tempfile.mkdtemp(prefix="logbuch-"))
    wanted = check_path(path, "artifact_path") if path else ""
    found = list(_walk(listing, wanted))
    if not found:
        try:
            _save(download(wanted), base / wanted) if wanted else base.mkdir(parents=True, exist_ok=True)
        except (InvalidInput, NotFound):
            raise NotFound(f"{owner} has no artifact {wanted!r}.") from None
    for file in found:
        _save(download(file), base / file)
    return base / wanted


def _walk(listing: Callable[[str], list[FileInfo]], folder: str) -> Iterator[str]:
    for info in listing(folder):
        # The names come from the server: none may lead out of the folder that is written to.
        path = check_path(info.path, "artifact_path")
        if folder and PurePosixPath(folder) not in PurePosixPath(path).parents:
            continue  # a listing of a file names the file itself
        if info.is_dir:
            yield from _walk(listing, path)
        else:
            yield path


def _save(chunks: Iterator[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        bar = Bar(target.name, None)
        try:
            with part.open("wb") as file:
                for chunk in tracked(chunks, bar):
                    file.write(chunk)
        finally:
            bar.close()
        part.replace(target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _queue_copy(connection: Connection, writer: RunWriter, local: Path, path: str) -> None:
    copy = connection.spool.copy(local)
    if copy is None:
        raise Unavailable(f"there is no room for a copy of {local}")
    writer.file(connection.spool.upload(writer.info, path, copy))


@contextlib.contextmanager
def never_fatal(connection: Connection, writer: RunWriter, path: str) -> Iterator[None]:
    """Wrong use goes to the caller; trouble of disk or server is counted and must not end a training."""
    try:
        yield
    except InvalidInput:
        raise
    except (LogbuchError, OSError) as error:
        connection.sender.lose(writer.run_id, f"the artifact {path!r} of run {writer.run_id} was not kept: {error}")
