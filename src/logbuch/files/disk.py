"""Artifacts on a local disk. No link is ever followed below the root; a file is visible only when it is whole."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from logbuch.errors import InvalidInput, NotFound, StoreRefused, Unavailable
from logbuch.files import keys
from logbuch.files.keys import TEMPORARY
from logbuch.limits import clip
from logbuch.model import FileInfo

CHUNK_BYTES = 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class LocalFiles:
    """The files below a root folder. Keys come from :mod:`logbuch.files.keys`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreRefused(f"The artifact folder {self.root} cannot be made: {error.strerror}.") from None
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise StoreRefused(f"The artifact folder {self.root} cannot be written: permission denied.")

    def location(self, wanted: str) -> str:
        """The folder, below the root, that a client wants for an experiment; empty for none.

        Clients may name a folder inside the configured root and nothing else.
        """
        if not wanted:
            return ""
        try:
            path = unquote(urlsplit(wanted).path) if wanted.startswith("file:") else wanted
            inside = Path(path).relative_to(self.root).as_posix()
        except ValueError:
            raise InvalidInput(
                f"Invalid value {clip(wanted)!r} for parameter 'artifact_location': "
                "it lies outside the artifact root that this server was started with."
            ) from None
        return keys.join(inside) if inside != "." else ""

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Writes a whole file and returns its size in bytes."""
        with self.writing(key) as file:
            for chunk in chunks:
                file.write(chunk)
            return file.tell()

    @contextmanager
    def writing(self, key: str) -> Iterator[BinaryIO]:
        """A file to write into: durable and in its place when the block ends well, gone otherwise."""
        *folders, name = key.split("/")
        with self._folder(folders, create=True) as folder, _refusing(key):
            temporary = TEMPORARY + secrets.token_hex(8)
            try:
                with os.fdopen(os.open(temporary, _CREATE, 0o644, dir_fd=folder), "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    def open(self, key: str) -> BinaryIO:
        """A file to read from; NotFound if there is none, InvalidInput for a folder."""
        *folders, name = key.split("/")
        with self._folder(folders) as folder, _refusing(key):
            file = os.fdopen(os.open(name, _READ | os.O_NONBLOCK, dir_fd=folder), "rb", closefd=True)
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise InvalidInput(f"The artifact path {clip(key)!r} is not a file.")
        return file

    def list(self, key: str, shown: str = "") -> list[FileInfo]:
        """What a folder holds, by name; paths begin with ``shown``. Empty for a folder that does not exist."""
        try:
            with self._folder(key.split("/")) as folder, os.scandir(folder) as entries:
                found = [self._info(entry, shown) for entry in entries if _visible(entry)]
        except (NotFound, InvalidInput):
            return []
        return sorted(found, key=lambda info: info.path)

    def delete(self, key: str) -> None:
        """Removes a file, or a folder with all that it holds; NotFound if there is neither."""
        *folders, name = key.split("/")
        with self._folder(folders) as folder, _refusing(key):
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    def _info(self, entry: os.DirEntry[str], shown: str) -> FileInfo:
        folder = entry.is_dir(follow_symlinks=False)
        return FileInfo(
            path=f"{shown}/{entry.name}" if shown else entry.name,
            is_dir=folder,
            file_size=None if folder else entry.stat(follow_symlinks=False).st_size,
        )

    @contextmanager
    def _folder(self, names: Iterable[str], *, create: bool = False) -> Iterator[int]:
        """A descriptor of a folder below the root, reached step by step without following a link."""
        current = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in names:
                with _refusing(name):
                    if create:
                        with suppress(FileExistsError):
                            os.mkdir(name, dir_fd=current)
                    following = os.open(name, _FOLDER, dir_fd=current)
                os.close(current)
                current = following
            yield current
        finally:
            os.close(current)


def read_chunks(file: BinaryIO, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """A file's content in chunks; the file is closed at the end."""
    with file:
        while chunk := file.read(size):
            yield chunk


def _visible(entry: os.DirEntry[str]) -> bool:
    return not entry.is_symlink() and not entry.name.startswith(TEMPORARY)


@contextmanager
def _refusing(key: str) -> Iterator[None]:
    """The system's refusals as errors of ours."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(f"No such artifact: {clip(key)!r}") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("The disk that holds the artifacts is full.") from None
        if error.errno in (errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST, errno.EINVAL):
            raise InvalidInput(
                f"Invalid path: {clip(key)!r} names a file where a folder stands, or the reverse."
            ) from None
        if error.errno == errno.ENXIO:
            raise InvalidInput(f"The artifact path {clip(key)!r} is not a file.") from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Unavailable(f"The artifact {clip(key)!r} may not be accessed by the server's user.") from None
        raise
