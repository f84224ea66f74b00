"""Folders packed into one file before they are sent, and unpacked where they arrive: never on the server."""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from logbuch.errors import InvalidInput, Unavailable
from logbuch.limits import clip

Kind = Literal["tar.gz", "tar.zst"]
KINDS: tuple[Kind, ...] = ("tar.gz", "tar.zst")
MOST_MEMBERS = 1_000_000
LONGEST_NAME = 4096
FREE_BYTES, RATIO = 1024**3, 200
"""An archive may unpack to so many bytes, and beyond that to so many times its own size. A bomb exceeds both."""
HEADER_BYTES = 1024 * 1024
"""What stands between two files of an archive. It is held in memory, and may claim any size."""
_BLOCK = 1024 * 1024
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, ValueError, OverflowError, RecursionError)
_UNFIT = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.ELOOP)
"""What the system says to names that no file can have."""


def check_kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise InvalidInput(f"Invalid value {clip(str(kind))!r} for 'compress': use {' or '.join(map(repr, KINDS))}.")
    return kind


def pack(found: Iterable[tuple[Path, str]], kind: Kind, target: Path) -> None:
    """Writes files (each with its name in the archive) into an archive. Nothing of a file is held in memory."""
    with _writing(target, kind) as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
        for file, name in found:
            with file.open("rb") as opened:
                member = archive.gettarinfo(arcname=name, fileobj=opened)
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                archive.addfile(member, opened)


def kind_of(name: str) -> Kind | None:
    """The kind of an archive by its name."""
    return next((kind for kind in KINDS if name.endswith(f".{kind}")), None)


def unpack(archive: Path, target: Path, *, most_bytes: int | None = None) -> Path:
    """Unpacks an archive into a folder, which appears when all of it is there. InvalidInput for one that would write
    elsewhere, holds links or devices, or grows beyond ``most_bytes`` (by default by the rule above)."""
    kind = kind_of(archive.name)
    if kind is None:
        raise InvalidInput(f"{archive.name!r} is no archive that is known here: {', '.join(KINDS)}.")
    limit = max(FREE_BYTES, RATIO * archive.stat().st_size) if most_bytes is None else most_bytes
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and any(target.iterdir()):
        raise InvalidInput(f"The folder {str(target)!r} is not empty.")
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as place:
        try:
            with _reading(archive, kind) as stream:
                _extract(_Rationed(stream), Path(place), limit)
        except _DAMAGED as error:
            raise _refused(archive, error) from None
        except OSError as error:
            if error.errno is None or error.errno in _UNFIT:
                raise _refused(archive, error) from None
            raise Unavailable(f"The archive {archive.name!r} cannot be unpacked here: {error.strerror}.") from None
        if target.exists():
            target.rmdir()
        (Path(place) / "content").rename(target)
    return target


def unpacked(archive: Path) -> Path:
    """Unpacks an archive beside itself, into a folder of its name, and removes it."""
    kind = kind_of(archive.name)
    if kind is None or archive.is_dir():
        raise InvalidInput(f"{archive.name!r} is no archive: {', '.join(KINDS)}.")
    folder = unpack(archive, archive.with_name(archive.name.removesuffix(f".{kind}") or "files"))
    archive.unlink()
    return folder


def _refused(archive: Path, error: Exception) -> InvalidInput:
    return InvalidInput(f"The archive {archive.name!r} is refused: {clip(str(error))}")


class _Rationed:
    """A stream of which no more than ``left`` bytes are read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.left = stream, HEADER_BYTES

    def read(self, size: int) -> bytes:
        found = self._stream.read(size)
        self.left -= len(found)
        if self.left < 0:
            raise tarfile.ReadError(f"more than {HEADER_BYTES} bytes stand between its files")
        return found


def _extract(stream: _Rationed, place: Path, limit: int) -> None:
    content, size, count = place / "content", 0, 0
    content.mkdir()
    with tarfile.open(fileobj=stream, mode="r|") as opened:  # type: ignore[call-overload]
        for member in opened:
            count, size = count + 1, size + member.size
            _check(member, size, count, limit)
            if member.size > shutil.disk_usage(place).free:
                raise tarfile.TarError("the disk has no room for it")
            stream.left = member.size + HEADER_BYTES
            opened.extract(member, content, filter="data")
            stream.left = HEADER_BYTES


def _check(member: tarfile.TarInfo, size: int, count: int, limit: int) -> None:
    """Refuses a member, the ``count``-th one, with which the archive has unpacked to ``size`` bytes."""
    if not (member.isreg() or member.isdir()):
        raise tarfile.TarError(f"{clip(member.name)!r} is a link or a device")
    if size > limit:
        raise tarfile.TarError(f"it would unpack to more than {limit} bytes")
    if member.size < 0 or len(member.name) > LONGEST_NAME:
        raise tarfile.TarError(f"{clip(member.name)!r} is no file's name and size")
    if count > MOST_MEMBERS:
        raise tarfile.TarError(f"it holds more than {MOST_MEMBERS} files")


@contextmanager
def _writing(target: Path, kind: Kind) -> Iterator[Any]:
    if kind == "tar.gz":
        import gzip

        with gzip.open(target, "wb", compresslevel=6) as packed:
            yield packed
        return
    with target.open("wb") as raw, _zstandard().ZstdCompressor(level=3, threads=0).stream_writer(raw) as packed:
        yield packed


@contextmanager
def _reading(archive: Path, kind: Kind) -> Iterator[IO[bytes]]:
    if kind == "tar.gz":
        import gzip

        with gzip.open(archive, "rb") as unpacked:
            yield unpacked  # type: ignore[misc]
        return
    library = _zstandard()
    with archive.open("rb") as raw:
        try:
            # A frame may ask for gigabytes of memory: what the packer above writes needs 8 MiB at most.
            with library.ZstdDecompressor(max_window_size=128 * _BLOCK).stream_reader(raw) as unpacked:
                yield unpacked
        except library.ZstdError as error:
            raise tarfile.TarError(str(error)) from None


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise InvalidInput("tar.zst needs a library: pip install 'logbuch[zstd]'. tar.gz needs none.") from None
    return zstandard


def name_of(folder: str | os.PathLike[str], kind: Kind) -> str:
    """What the archive of a folder is called."""
    return f"{Path(folder).resolve().name or 'files'}.{kind}"
