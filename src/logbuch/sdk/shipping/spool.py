"""Copies of files that wait to be uploaded, so that the training may change or remove the originals at once.

They lie in the journal's folder, each with a note of what is to be done with it: what a process leaves behind, a later
one sends.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from logbuch.errors import LogbuchError, Unavailable
from logbuch.model import LifecycleStage, RunInfo, RunStatus
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.backends.calls import FileCall, Note, Upload, discard, write_note
from logbuch.sdk.content.tablerows import Append

_FICLONE = 0x40049409
"""Linux: share the blocks of a file with another, on file systems that can (btrfs, XFS)."""
_RESERVE_BYTES = 1024**3
_RESERVE_SHARE = 0.05
"""So much of the disk stays free, whichever is less: others need it more than copies do."""


class Spool:
    """A private folder, made at first use. ``home`` is where it shall be; without one it is a temporary folder."""

    def __init__(self, home: Callable[[], Path | None] = lambda: None) -> None:
        self._home = home
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

    def upload(self, run: RunInfo, path: str, copy: Path) -> FileCall:
        """The call that sends a copy."""
        write_note(copy, Note(run.run_id, path))
        return Upload(run, path, copy)

    def append(self, run: RunInfo, path: str, copy: Path) -> FileCall:
        """The call that adds the rows in a copy to a table."""
        write_note(copy, Note(run.run_id, path, "append"))
        return Append(run, path, copy)

    def send_all(self, backend: Backend) -> tuple[int, int]:
        """Sends what an earlier process has left, the oldest first: how many were sent, and how many are left."""
        sent = left = 0
        for call in self._left_behind():
            try:
                call.perform(backend)
            except Unavailable:
                left += 1
                continue
            except LogbuchError:  # it will not be taken tomorrow either
                left += 1
                continue
            call.settled()
            sent += 1
        return sent, left

    def _left_behind(self) -> Iterator[FileCall]:
        folder = self._home()
        notes = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime) if folder is not None else []
        for path in notes:
            copy = path.with_suffix("")
            with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
                note = msgspec.json.decode(path.read_bytes(), type=Note)
                yield (Append if note.action == "append" else Upload)(_unknown(note.run_id), note.path, copy)

    def close(self) -> None:
        """Takes the folder away, unless copies wait in it that a later process can send."""
        if self._folder is None:
            return
        if self._folder != self._home() or not any(self._folder.glob("*.json")):
            shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self) -> Path:
        with self._lock:
            if self._folder is None:
                home = self._home()
                if home is None:
                    self._folder = Path(tempfile.mkdtemp(prefix="logbuch-"))
                else:
                    home.mkdir(mode=0o700, exist_ok=True)
                    self._folder = home
            return self._folder


def _unknown(run_id: str) -> RunInfo:
    """A run of which only the ID is known."""
    return RunInfo(
        run_id=run_id,
        experiment_id="",
        run_name="",
        user_id="",
        status=RunStatus.RUNNING,
        start_time=0,
        end_time=None,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri="",
    )


def _has_room(folder: Path, size: int) -> bool:
    disk = shutil.disk_usage(folder)
    return disk.free >= size + min(_RESERVE_BYTES, _RESERVE_SHARE * disk.total)


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[None]:
    """A copy that cannot be finished is taken away, for it would only fill the disk."""
    try:
        yield
    except BaseException:
        discard(target)
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
