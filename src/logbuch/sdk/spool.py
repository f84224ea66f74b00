"""Copies of files that wait to be uploaded, so that the training may change or remove the originals at once."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import uuid
from pathlib import Path

_FICLONE = 0x40049409
"""Linux: share the blocks of a file with another, on file systems that can (btrfs, XFS)."""
_RESERVE_BYTES = 512 * 1024 * 1024


class Spool:
    """A private folder in the system's temporary folder, made at first use and removed at the end."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def copy(self, file: Path) -> Path | None:
        """A copy of a file; None if there is no room for it."""
        folder = self._make()
        if shutil.disk_usage(folder).free < file.stat().st_size + _RESERVE_BYTES:
            return None
        target = folder / uuid.uuid4().hex
        if not _clone(file, target):
            shutil.copyfile(file, target)
        return target

    def keep(self, content: bytes) -> Path:
        """A file with this content."""
        target = self._make() / uuid.uuid4().hex
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
