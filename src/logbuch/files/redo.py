"""A second place for small files, on the disk at once, until their own places are.

A new file comes to the disk by two commits of the file system's own journal; an overwrite of what is allocated already
takes none. So a small file is written twice: where it belongs, and into a preallocated log, which alone is waited for.
The files' own places follow in the background: a few one by one, many together with all that the file system holds.

A log has two halves: one takes entries while the files of the other are brought to the disk. Then the generation of the
other is counted up, which makes its entries void. After a power cut whoever opens the root first puts the files of all
valid entries into their places once more; a file that was changed later than its entry says is left as it is.

Each process has a log of its own below the root, and holds a lock on it while it lives.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import os
import secrets
import struct
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from logbuch.errors import LogbuchError
from logbuch.files.keys import TEMPORARY

logger = logging.getLogger("logbuch.files")
FOLDER = TEMPORARY + "redo"
HALF_BYTES = 16 * 1024 * 1024
ENTRY_BYTES = 256 * 1024
"""Larger files go to the disk themselves."""
AGE_SECONDS = 1.0
"""So long an entry waits at most until its file is brought to the disk."""
FEW = 64
"""So many files are brought to the disk one by one, which leaves alone what other programs have written."""
ROOM = 16
"""A log is made where it takes no more than this part of what is free."""
_BLOCK = 4096
"""Entries begin at a block of the disk: writing one cannot tear another."""
_HEAD = struct.Struct("<8sQ")
_ENTRY = struct.Struct("<4sQQqII")
_CHECK = struct.Struct("<I")
_MAGIC, _ENTRY_MAGIC = b"lbredo01", b"lbre"
_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


class Entry(NamedTuple):
    """A file as a log has it; ``changed`` is the time of its last change, ns."""

    sequence: int
    key: str
    changed: int
    content: bytes


@dataclass(slots=True)
class _Half:
    start: int
    generation: int = 1
    at: int = _BLOCK
    since: float = 0.0
    flying: int = 0
    """Entries whose files are not in their places yet."""
    keys: set[str] = field(default_factory=set)


class RedoLog:
    """One process's log below a root. It is made in the background when :meth:`begin` says that files come. ``bring``
    brings files to the disk, by their keys; OSError where it cannot."""

    def __init__(self, root: Path, bring: Callable[[Collection[str]], None]) -> None:
        self._root, self._bring_few = root, bring
        self._changed = threading.Condition()
        self._halves = (_Half(0), _Half(HALF_BYTES))
        self._active, self._sequence = 0, 0
        self._file = -1
        self._thread: threading.Thread | None = None
        self._ending = self._broken = False

    @staticmethod
    def offered() -> bool:
        """Whether this system can bring many files to the disk at once."""
        return _syncfs is not None

    def begin(self) -> None:
        """Makes the log, if it is not there; until it is, files go to the disk themselves."""
        with self._changed:
            if self._thread is None and not self._ending:
                self._thread = threading.Thread(target=self._run, name="logbuch-redo", daemon=True)
                self._thread.start()

    @contextmanager
    def kept(self, key: str, blocks: Sequence[bytes], changed: int) -> Iterator[bool]:
        """Keeps a file that is put into its place inside the block. False where the log cannot take it now."""
        size = sum(map(len, blocks))
        name = key.encode()
        place = self._reserve(key, _ENTRY.size + len(name) + size + _CHECK.size) if size <= ENTRY_BYTES else None
        if place is None:
            yield False
            return
        half, at, sequence = place
        try:
            head = _ENTRY.pack(_ENTRY_MAGIC, half.generation, sequence, changed, len(name), size)
            parts = [head, name, *blocks]
            check = 0
            for part in parts:
                check = zlib.crc32(part, check)
            self._write(half.start + at, b"".join([*parts, _CHECK.pack(check)]))
            yield True
        finally:
            with self._changed:
                half.flying -= 1
                # The thread waits for those alone that it brings to the disk; waking it costs as much as all the rest.
                if not half.flying and (self._broken or half is not self._halves[self._active]):
                    self._changed.notify_all()

    def settle(self, key: str) -> None:
        """Returns when no entry is valid any more for a key and those below it."""
        with self._changed:
            held = [(half, half.generation) for half in self._halves if _concerns(half, key)]
            for half, _ in held:
                half.since = 0.0
            self._changed.notify_all()
            for half, generation in held:
                self._changed.wait_for(lambda h=half, g=generation: h.generation != g or self._broken)  # type: ignore[misc]

    def close(self) -> None:
        """Brings all files to the disk and removes the log."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _reserve(self, key: str, size: int) -> tuple[_Half, int, int] | None:
        blocks = -(-size // _BLOCK) * _BLOCK
        with self._changed:
            if self._file < 0 or self._ending or self._broken:
                return None
            half = self._halves[self._active]
            if half.at + blocks > HALF_BYTES and not self._turn():
                return None
            half = self._halves[self._active]
            at, half.at = half.at, half.at + blocks
            if not half.keys:
                half.since = time.monotonic()
                self._changed.notify_all()
            half.keys.add(key)
            half.flying += 1
            self._sequence += 1
            return half, at, self._sequence

    def _turn(self) -> bool:
        """Lets the other half take entries, if it is empty."""
        other = self._halves[1 - self._active]
        if other.keys:
            return False
        self._active = 1 - self._active
        self._changed.notify_all()
        return True

    def _write(self, at: int, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            taken = os.pwrite(self._file, rest, at)
            rest, at = rest[taken:], at + taken
        os.fdatasync(self._file)

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            path, file, root = self._make()
        except OSError as error:  # a full disk, or one that knows no locks: files go to the disk themselves
            logger.warning("small files are brought to the disk one by one: %s", error)
            self._broken = True
            return
        with self._changed:
            self._file = file
        try:
            while (half := self._due()) is not None:
                self._bring(half, root)
            path.unlink()
        except (OSError, LogbuchError):
            # The entries stay valid: who opens the root next puts their files in their places.
            logger.exception("small files were not brought to the disk")
        finally:
            with self._changed:
                self._broken = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: not any(half.flying for half in self._halves))
            os.close(file)
            os.close(root)

    def _make(self) -> tuple[Path, int, int]:
        """The log's path and descriptor, and the root's, which tells of errors since it was opened."""
        state = os.statvfs(self._root)
        if state.f_bavail * state.f_frsize < ROOM * 2 * HALF_BYTES:
            raise OSError(errno.ENOSPC, "there is little room on the disk")
        folder = self._root / FOLDER
        folder.mkdir(exist_ok=True)
        path = folder / secrets.token_hex(8)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(file).st_nlink:
                raise OSError(errno.ENOENT, "another process took the log for one that was left behind")
            empty = bytes(1024 * 1024)
            for at in range(0, 2 * HALF_BYTES, len(empty)):
                os.pwrite(file, empty, at)
            for half in self._halves:
                os.pwrite(file, _HEAD.pack(_MAGIC, half.generation), half.start)
            os.fsync(file)
            _sync_folders(folder, self._root)
            return path, file, os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(file)
            raise

    def _due(self) -> _Half | None:
        """The half whose files are to be brought to the disk now; waits for it. None at the end."""
        with self._changed:
            while True:
                active, other = self._halves[self._active], self._halves[1 - self._active]
                if other.keys:
                    return other
                left = active.since + AGE_SECONDS - time.monotonic() if active.keys else None
                if active.keys and (self._ending or (left is not None and left <= 0)):
                    self._turn()
                elif self._ending:
                    return None
                else:
                    self._changed.wait(left)

    def _bring(self, half: _Half, root: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not half.flying)
        if len(half.keys) <= FEW:
            self._bring_few(half.keys)
        else:
            _bring_all(root)
        self._write(half.start, _HEAD.pack(_MAGIC, half.generation + 1))
        with self._changed:
            half.generation += 1
            half.at = _BLOCK
            half.keys.clear()
            self._changed.notify_all()


def left_behind(root: Path) -> Iterator[tuple[Path, list[Entry]]]:
    """Each log whose process is gone, with its valid entries, the last of each key. It is the caller's for its turn."""
    try:
        paths = sorted((root / FOLDER).iterdir())
    except OSError:
        return
    for path in paths:
        file = _taken(path)
        if file is not None:
            try:
                yield path, read(file)
            finally:
                os.close(file)


def _taken(path: Path) -> int | None:
    """A log that nobody holds, locked; None for any other."""
    file = None
    with suppress(OSError):
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_nlink:  # else another has just been through with it
            return file
    if file is not None:
        os.close(file)
    return None


def read(file: int) -> list[Entry]:
    """The valid entries of a log in their order, the last of each key. What is torn is passed over."""
    last: dict[str, Entry] = {}
    found = [entry for start in (0, HALF_BYTES) for entry in _entries(os.pread(file, HALF_BYTES, start))]
    for entry in sorted(found):
        last[entry.key] = entry
    return list(last.values())


def _entries(half: bytes) -> Iterator[Entry]:
    if len(half) < _BLOCK:
        return
    magic, generation = _HEAD.unpack_from(half)
    at = _BLOCK
    while magic == _MAGIC and at + _ENTRY.size <= len(half):
        kind, of, sequence, changed, name, size = _ENTRY.unpack_from(half, at)
        end = at + _ENTRY.size + name + size
        valid = kind == _ENTRY_MAGIC and of == generation and end + _CHECK.size <= len(half)
        if valid and _CHECK.unpack_from(half, end)[0] == zlib.crc32(memoryview(half)[at:end]):
            begin = at + _ENTRY.size
            yield Entry(sequence, half[begin : begin + name].decode(), changed, half[begin + name : end])
            at = -(-(end + _CHECK.size) // _BLOCK) * _BLOCK
        else:
            at += _BLOCK


def _concerns(half: _Half, key: str) -> bool:
    return key in half.keys or any(held.startswith(f"{key}/") for held in half.keys)


def _bring_all(root: int) -> None:
    """Brings everything of a file system to the disk (syncfs(2))."""
    assert _syncfs is not None
    if _syncfs(root):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _sync_folders(*folders: Path) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
