"""A file of a journal: mapped into memory where that is safe, else written with write calls.

A mapping survives the process, and an append to it never gives the interpreter's lock away. But where the file system
has not really set the room aside, storing into it kills the process (SIGBUS): so only file systems that keep the
promise of posix_fallocate are mapped.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from pathlib import Path
from typing import Protocol

_MAPPED = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "overlay", "bcachefs"})
"""Local file systems on which allocated room is there when it is written to."""


class Segment(Protocol):
    """Room for entries. ``map`` is written to directly where there is one."""

    size: int
    map: mmap.mmap | None
    on_disk: bool

    def write(self, place: int, raw: bytes) -> None:
        """Writes bytes at a place; OSError if the disk does not take them."""

    def read(self, begin: int, end: int) -> bytes: ...
    def sync(self) -> None:
        """Returns when all is on the disk."""

    def close(self, used: int | None) -> None:
        """Ends the use; a file is cut to what was ``used``, unless that is None."""

    def drop(self) -> None:
        """Lets go of what was inherited in a fork, without touching it."""


class MappedFile:
    """A file with its room set aside, mapped."""

    on_disk = True

    def __init__(self, path: Path, size: int) -> None:
        self.size = size
        self._fd = _new(path)
        try:
            os.posix_fallocate(self._fd, 0, size)
            self.map: mmap.mmap | None = mmap.mmap(self._fd, size)
        except BaseException:
            os.close(self._fd)
            path.unlink()
            raise
        self._map = self.map

    def write(self, place: int, raw: bytes) -> None:
        self._map[place : place + len(raw)] = raw

    def read(self, begin: int, end: int) -> bytes:
        return self._map[begin:end]

    def sync(self) -> None:
        # Not mmap.flush: it would hold the interpreter's lock for as long as the disk takes.
        os.fdatasync(self._fd)

    def close(self, used: int | None) -> None:
        self._map.close()
        with contextlib.suppress(OSError):
            if used is not None:
                os.ftruncate(self._fd, used)
        os.close(self._fd)

    def drop(self) -> None:
        with contextlib.suppress(BufferError, ValueError):
            self._map.close()
        with contextlib.suppress(OSError):
            os.close(self._fd)


class WrittenFile:
    """A file that grows by write calls."""

    on_disk = True
    map: mmap.mmap | None = None

    def __init__(self, path: Path, size: int) -> None:
        self.size = size
        self._path = path
        self._fd = _new(path)

    def write(self, place: int, raw: bytes) -> None:
        os.lseek(self._fd, place, os.SEEK_SET)  # what a failed write has left is written over
        if os.write(self._fd, raw) != len(raw):
            raise OSError(28, "No space left on device")

    def read(self, begin: int, end: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(begin)
            return file.read(end - begin)

    def sync(self) -> None:
        os.fsync(self._fd)

    def close(self, used: int | None) -> None:
        with contextlib.suppress(OSError):
            if used is not None:
                os.ftruncate(self._fd, used)
        os.close(self._fd)

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._fd)


class Memory:
    """Room in memory, where no file can be made: what it holds ends with the process."""

    on_disk = False

    def __init__(self, size: int) -> None:
        self.size = size
        self.map: mmap.mmap | None = mmap.mmap(-1, size)
        self._map = self.map

    def write(self, place: int, raw: bytes) -> None:
        self._map[place : place + len(raw)] = raw

    def read(self, begin: int, end: int) -> bytes:
        return self._map[begin:end]

    def sync(self) -> None:
        """There is no disk."""

    def close(self, used: int | None) -> None:  # noqa: ARG002
        self._map.close()

    def drop(self) -> None:
        with contextlib.suppress(BufferError, ValueError):
            self._map.close()


def new_file(path: Path, size: int, mapped: bool) -> Segment:
    """A new segment; OSError if there is no room for it."""
    return MappedFile(path, size) if mapped else WrittenFile(path, size)


def can_be_mapped(folder: Path) -> bool:
    """Whether a file in this folder may be mapped."""
    return hasattr(os, "posix_fallocate") and _file_system(folder.resolve()) in _MAPPED


def _file_system(folder: Path) -> str:
    """The type of the file system that holds a folder, as Linux tells it; "" elsewhere. Of mounts on one folder the
    last counts."""
    best, found = -1, ""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            left, _, right = line.partition(" - ")
            place = left.split()[4].replace("\\040", " ")
            if folder.is_relative_to(place) and len(place) >= best:
                best, found = len(place), right.split()[0]
    return found


def _new(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
