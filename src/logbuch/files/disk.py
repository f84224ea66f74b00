"""Artifacts on a local disk. No link is ever followed below the root; a file is visible only when it is whole."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from logbuch.errors import InvalidInput, NotFound, StoreRefused, Unavailable, of_disk
from logbuch.files import beneath, keys, redo
from logbuch.files.keys import TEMPORARY
from logbuch.files.redo import RedoLog
from logbuch.files.storage import Expected, Found, Receiving, Stat
from logbuch.limits import clip
from logbuch.model import FileInfo

CHUNK_BYTES = 1024 * 1024
FLUSH_BYTES = 64 * 1024 * 1024
"""A larger file is brought to the disk while it arrives; else its end would wait for all of it."""
_VECTORS = 512
_flushers = ThreadPoolExecutor(4, "logbuch-flush")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class LocalFiles:
    """The files below a root folder. Keys come from :mod:`logbuch.files.keys`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.where = str(root)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"The artifact folder {self.root} cannot be made: {error.strerror}."
            raise StoreRefused(message, passing=of_disk(error)) from None
        if not os.access(self.root, os.W_OK | os.X_OK):
            message = f"The artifact folder {self.root} cannot be written: permission denied."
            raise StoreRefused(message, passing=True)
        self._log: RedoLog | None = None
        self._redo()

    def hasten(self) -> None:
        """From now on small files are acknowledged when they are in a log (:mod:`logbuch.files.redo`); to be closed."""
        if self._log is None and RedoLog.offered():
            self._log = RedoLog(self.root, self._bring)

    def close(self) -> None:
        log, self._log = self._log, None
        if log is not None:
            log.close()

    def location(self, wanted: str) -> str | None:
        try:
            path = unquote(urlsplit(wanted).path) if wanted.startswith("file:") else wanted
            inside = Path(path).relative_to(self.root).as_posix()
        except ValueError:
            return None
        return keys.join(inside) if inside != "." else ""

    def put(self, key: str, chunks: Iterable[bytes], expected: Expected = Expected()) -> int:  # noqa: B008
        """Writes a whole file and returns its size in bytes."""
        with Receiving(self.sink(key), expected) as receiving:
            for chunk in chunks:
                receiving.write((chunk,))
            return receiving.finish().stat.size

    def sink(self, key: str) -> DiskSink:
        """A file to write: durable and in its place when it is finished."""
        *folders, name = key.split("/")
        if self._log is not None:
            self._log.begin()  # by any file: small ones often follow
        return DiskSink(key, name, self._reach(folders, create=True), self._log)

    def open(self, key: str) -> DiskFile:
        *folders, name = key.split("/")
        with self._folder(folders) as folder, _refusing(key):
            descriptor = os.open(name, _READ | os.O_NONBLOCK, dir_fd=folder)
        try:
            return DiskFile(key, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def stat(self, key: str) -> Stat:
        opened = self.open(key)
        opened.close()
        return opened.stat

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
        self.settle(key)
        with self._folder(folders) as folder, _refusing(key):
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    def settle(self, key: str) -> None:
        """No log brings back from now on what a file, or the files of a folder, are at this moment."""
        if self._log is not None:
            self._log.settle(key)

    def staged(self, upload_id: str) -> Staged:
        """The unfinished file of an upload in parts."""
        return Staged(self, TEMPORARY + upload_id)

    def walk(self, key: str = "") -> Iterator[Found]:
        folders = [key]
        while folders:
            place = folders.pop()
            try:
                with self._folder(place.split("/") if place else ()) as folder, os.scandir(folder) as entries:
                    found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in _lasting(entries)]
            except (NotFound, InvalidInput):
                continue  # removed meanwhile
            for name, stated in found:
                inside = f"{place}/{name}" if place else name
                if stat.S_ISDIR(stated.st_mode):
                    if name != redo.FOLDER:
                        folders.append(inside)
                elif stat.S_ISREG(stated.st_mode):
                    yield Found(inside, stated.st_size, stated.st_mtime, pending=name.startswith(TEMPORARY))

    def discard(self, found: Found) -> None:
        with suppress(NotFound):
            self.delete(found.key)

    def prune(self, key: str, *, before: float) -> int:
        """Removes folders below this one that hold nothing and have not changed since (s); returns how many."""
        removed = 0
        for _, folders, _, descriptor in os.fwalk(self.root / key, topdown=False, follow_symlinks=False):
            for name in folders:
                with suppress(OSError):
                    if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mtime < before:
                        os.rmdir(name, dir_fd=descriptor)
                        removed += 1
        return removed

    def _redo(self) -> None:
        """Puts the files into their places that a process had only in its log when the power went."""
        for path, entries in redo.left_behind(self.root):
            restored = [self._restored(entry) for entry in entries]  # one that cannot be holds up no other
            if all(restored):
                path.unlink(missing_ok=True)

    def _restored(self, entry: redo.Entry) -> bool:
        try:
            self._restore(keys.join(entry.key), entry)
        except InvalidInput:  # a folder stands there now, or a link
            return True
        except (Unavailable, OSError) as error:
            redo.logger.warning("%r stays in the log: %s", clip(entry.key), error)
            return False
        return True

    def _restore(self, key: str, entry: redo.Entry) -> None:
        try:
            opened = self.open(key)
        except NotFound:
            self.put(key, (entry.content,))
            return
        try:
            changed = os.fstat(opened.descriptor).st_mtime_ns
            if changed > entry.changed:
                return
            if opened.stat.size == len(entry.content) and opened.read(0, opened.stat.size) == entry.content:
                os.fsync(opened.descriptor)
                self._sync_folder(key)
                return
        finally:
            opened.close()
        self.put(key, (entry.content,))

    def _bring(self, held: Collection[str]) -> None:
        """Brings files to the disk, and the names of what their folders hold."""
        folders = set()
        for key in held:
            with suppress(NotFound, InvalidInput):  # another process has deleted it, or replaced it by a folder
                opened = self.open(key)
                try:
                    os.fsync(opened.descriptor)
                finally:
                    opened.close()
                folders.add(key.rpartition("/")[0])
        for folder in folders:
            with suppress(NotFound, InvalidInput):
                self._sync_folder(f"{folder}/")

    def _sync_folder(self, key: str) -> None:
        with self._folder(key.split("/")[:-1]) as folder:
            os.fsync(folder)

    def _info(self, entry: os.DirEntry[str], shown: str) -> FileInfo:
        folder = entry.is_dir(follow_symlinks=False)
        return FileInfo(
            path=f"{shown}/{entry.name}" if shown else entry.name,
            is_dir=folder,
            file_size=None if folder else entry.stat(follow_symlinks=False).st_size,
        )

    @contextmanager
    def _folder(self, names: Sequence[str], *, create: bool = False) -> Iterator[int]:
        """A descriptor of a folder below the root, as long as the block lasts."""
        found = self._reach(names, create=create)
        try:
            yield found
        finally:
            os.close(found)

    def _reach(self, names: Sequence[str], *, create: bool) -> int:
        """The same, to be closed: reached in one call, or else step by step; no link is followed."""
        with _refusing(str(self.root)):
            current = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            at_once = beneath.folder(current, names)
            for name in names if at_once is None else ():
                with _refusing(name):
                    following = _below(current, name, create=create)
                os.close(current)
                current = following
        except BaseException:
            os.close(current)
            raise
        if at_once is None:
            return current
        os.close(current)
        return at_once


class DiskSink:
    """See :class:`logbuch.files.storage.Sink`. The folder's descriptor becomes its own."""

    def __init__(self, key: str, name: str, folder: int, log: RedoLog | None = None) -> None:
        self._key, self._name, self._folder = key, name, folder
        self._log = log
        self._size = 0
        self._blocks: list[bytes] = []
        """What was written, while it is little enough for the log."""
        self._small = log is not None
        self._temporary = TEMPORARY + secrets.token_hex(8)
        self._dirty = 0
        self._flushing: Future[None] | None = None
        try:
            with _refusing(key):
                self._file = os.open(self._temporary, _CREATE, 0o644, dir_fd=folder)
        except BaseException:
            os.close(folder)
            raise

    def write(self, blocks: Sequence[bytes]) -> None:
        with _refusing(self._key):
            write_all(self._file, blocks)
        size = sum(map(len, blocks))
        self._dirty += size
        self._size += size
        if self._small:
            self._blocks += blocks
            self._small = self._size <= redo.ENTRY_BYTES
        elif self._blocks:
            self._blocks.clear()
        if self._dirty >= FLUSH_BYTES and (self._flushing is None or self._flushing.done()):
            self._flush()

    def finish(self) -> Stat:
        with _refusing(self._key):
            self._settle()
            found = os.fstat(self._file)
            with self._kept(found.st_mtime_ns) as kept:
                if not kept:
                    self._outlast()
                os.replace(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
                if not kept:
                    os.fsync(self._folder)
        self._close()
        return _stat(found)

    def _kept(self, changed: int) -> AbstractContextManager[bool]:
        """Whether the file is in the log, which then need not be on the disk itself."""
        if self._log is None or not self._small:
            return nullcontext(False)
        return self._log.kept(self._key, self._blocks, changed)

    def _outlast(self) -> None:
        """Brings the file to the disk, where nothing in the log will take its place."""
        os.fsync(self._file)
        if self._log is not None:
            self._log.settle(self._key)

    def abort(self) -> None:
        with suppress(OSError):
            self._settle()
        with suppress(OSError):
            os.unlink(self._temporary, dir_fd=self._folder)
        self._close()

    def _flush(self) -> None:
        """Has what was written brought to the disk while more arrives."""
        with _refusing(self._key):
            self._settle()
        self._dirty = 0
        self._flushing = _flushers.submit(os.fdatasync, self._file)

    def _settle(self) -> None:
        """Waits for that. Its error is raised here, for the system tells an error of writing only once."""
        flushing, self._flushing = self._flushing, None
        if flushing is not None:
            flushing.result()

    def _close(self) -> None:
        os.close(self._file)
        os.close(self._folder)


class Staged:
    """A file at the root that grows part by part, until it is put into its place."""

    def __init__(self, files: LocalFiles, name: str) -> None:
        self._files, self._name = files, name

    def size(self) -> int:
        """Bytes that are there; 0 if there is no file."""
        with self._files._folder(()) as root, suppress(FileNotFoundError):
            return os.stat(self._name, dir_fd=root, follow_symlinks=False).st_size
        return 0

    @contextmanager
    def held(self, *, create: bool = False) -> Iterator[int]:
        """The open file, which no other thread or process writes to or puts into its place meanwhile.

        NotFound where it has been put into its place or given up: what was opened is then somebody's artifact.
        """
        mode = os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        with self._files._folder(()) as root, _refusing(self._name):
            try:
                file = os.open(self._name, mode, 0o644, dir_fd=root)
            except FileNotFoundError:
                raise NotFound("The upload has ended: begin it again.") from None
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not self._is(root, file):
                    raise NotFound("The upload has ended: begin it again.")
                yield file
            finally:
                os.close(file)

    def _is(self, root: int, file: int) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file), os.stat(self._name, dir_fd=root, follow_symlinks=False))
        return False

    @staticmethod
    def write(file: int, start: int, content: bytes) -> None:
        """Goes on at ``start``; durable, or as it was before."""
        try:
            os.ftruncate(file, start)
            os.lseek(file, start, os.SEEK_SET)
            write_all(file, (content,) if content else ())
            os.fdatasync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, start)
            raise

    @staticmethod
    def blocks(file: int) -> Iterator[bytes]:
        """The content so far."""
        start = 0
        while block := os.pread(file, CHUNK_BYTES, start):
            yield block
            start += len(block)

    def place(self, file: int, key: str) -> Stat:
        """Puts the file that is held into its place, at once and durably."""
        *folders, name = key.split("/")
        with (
            self._files._folder(()) as root,
            self._files._folder(folders, create=True) as folder,
            _refusing(key),
        ):
            os.fsync(file)
            found = _stat(os.fstat(file))
            os.replace(self._name, name, src_dir_fd=root, dst_dir_fd=folder)
            os.fsync(folder)
            return found

    def remove(self) -> None:
        with self._files._folder(()) as root, suppress(FileNotFoundError):
            os.unlink(self._name, dir_fd=root)


class DiskFile:
    """See :class:`logbuch.files.storage.Opened`: reads what was opened, also when another file has its place."""

    window = CHUNK_BYTES

    def __init__(self, key: str, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput(f"The artifact path {clip(key)!r} is not a file.")
        self.descriptor = descriptor
        self.stat = _stat(found)

    def read(self, start: int, size: int) -> bytes:
        found = os.pread(self.descriptor, size, start)
        if len(found) == size:
            return found
        parts = [found]
        while found and (left := size - sum(map(len, parts))):
            found = os.pread(self.descriptor, left, start + size - left)
            parts.append(found)
        if sum(map(len, parts)) < size:
            raise Unavailable("The artifact was cut while it was read.")
        return b"".join(parts)

    def detach(self) -> BinaryIO:
        """The same as a file object, which closes the descriptor itself."""
        descriptor, self.descriptor = self.descriptor, -1
        return os.fdopen(descriptor, "rb")

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _below(folder: int, name: str, *, create: bool) -> int:
    """A descriptor of a folder in another one; a link is refused."""
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=folder)
    return os.open(name, _FOLDER, dir_fd=folder)


def write_all(file: int, blocks: Sequence[bytes]) -> None:
    """Writes all of these blocks, however little the system takes at a time."""
    for start in range(0, len(blocks), _VECTORS):
        part = blocks[start : start + _VECTORS]
        taken, size = os.writev(file, part), sum(map(len, part))
        if taken < size:
            rest = memoryview(b"".join(part))[taken:]
            while rest:
                rest = rest[os.write(file, rest) :]


def read_chunks(file: BinaryIO | DiskFile, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """A file's content in chunks; the file is closed at the end."""
    if isinstance(file, DiskFile):
        file = file.detach()
    with file:
        while chunk := file.read(size):
            yield chunk


def _stat(found: os.stat_result) -> Stat:
    mark = f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"
    return Stat(found.st_size, found.st_mtime, mark)


def _lasting(entries: Iterable[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    """The entries that are still there when they are asked for."""
    for entry in entries:
        with suppress(FileNotFoundError):
            entry.stat(follow_symlinks=False)
            yield entry


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
        raise Unavailable(f"The disk that holds the artifacts failed: {error.strerror}.") from error
