"""Copies of files that wait to be uploaded, so that the training may change or remove the originals at once."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

_FICLONE = 0x40049409
"""Linux: share the blocks of a file with another, on file systems that can (btrfs, XFS)."""
_RESERVE_BYTES = 1024**3
_RESERVE_SHARE = 0.05
"""So much of the disk stays free, whichever is less: others need it more than copies do."""


class Spool:
    """A private folder in the system's temporary folder, made at first use and removed at the end."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def copy(self, file: Path) -> Path | None:
        """A copy of a file; None if there is no room for it."""
        folder = self._make()
        if not _has_room(folder, file.stat().st_size):
            return None
        target = folder / uuid.uuid4().hex
        with _whole(target):
            if not _clone(file, target):
                shutil.copyfile(file, target)
        return target

    def keep(self, content: bytes, *, for_long: bool = True) -> Path | None:
        """A file with this content; None if there is no room for one that may stay ``for_long``."""
        folder = self._make()
        if for_long and not _has_room(folder, len(content)):
            return None
        target = folder / uuid.uuid4().hex
        with _whole(target):
            target.write_bytes(content)
        return target

    def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="logbuch-"))
            return self._folder


def _has_room(folder: Path, size: int) -> bool:
    disk = shutil.disk_usage(folder)
    return disk.free >= size + min(_RESERVE_BYTES, _RESERVE_SHARE * disk.total)


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[None]:
    """A copy that cannot be finished is taken away, for it would only fill the disk."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            target.unlink()
        raise


def _clone(source: Path, target: Path) -> bool:
    """Copies a file without copying its blocks, where the file system can do that."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    with contextlib.suppress(OSError), source.open("rb") as old, target.open("wb") as new:
        fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        return True
    with contextlib.suppress(OSError):
        target.unlink()
    return False
