"""A journal's folder: whose it is, whether its process lives, how far it was sent, and its segments.

``<root>/<journal>/`` holds ``journal.json`` (where its records are meant to go), ``lock`` (locked while a process
writes or sends it), ``state.json`` (how far it was acknowledged, and by which store), ``<number>.segment`` files, and
``files/`` with copies of artifacts. When nothing is left to be sent it moves to ``<root>/sent/``. Folders are private,
and hold no credentials.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from logbuch import settings
from logbuch.sdk.journal.format import ENTRY, HEAD, KEY, read_head, salvaged, sound
from logbuch.sdk.journal.note import About, Damaged, Note, State, T, opened, sealed

SUFFIX, ABOUT, STATE = ".segment", "journal.json", "state.json"
SENT = "sent"
"""The folder of journals of which nothing is left to be sent."""
REMOVED = ".removed"
"""Behind the name of a folder that is just being taken away."""


class Folder:
    """One journal on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self._lock: IO[bytes] | None = None

    def create(self, place: str) -> None:
        """Makes the folder and locks it; OSError if that cannot be."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700)
        try:
            if not self.lock():
                raise OSError("the journal cannot be locked")
            about = About(place=place, pid=os.getpid(), begun=time.time_ns() // 1_000_000, host=platform.node())
            self._put(ABOUT, about)
        except BaseException:
            self.remove()
            raise

    def about(self) -> About | None:
        """None for a folder that is no journal, or one that is just being made."""
        return self._got(ABOUT, About)

    def state(self) -> State:
        """As it was kept last; from the beginning if it cannot be read, for the store knows too."""
        return self._got(STATE, State) or State()

    def disbelieved(self) -> list[str]:
        """What is wrong with its notes, in words: for each that is there and cannot be believed."""
        found = []
        for name, kind in ((ABOUT, About), (STATE, State)):
            with contextlib.suppress(OSError):
                try:
                    opened((self.path / name).read_bytes(), kind, self.id)
                except Damaged as damage:
                    found.append(f"{name} is not believed, for {damage}")
        return found

    def keep(self, state: State) -> None:
        """Replaces the state; a disk that does not take it is no matter, for the server knows too."""
        with contextlib.suppress(OSError):
            self._put(STATE, state)

    def lock(self) -> bool:
        """Takes the journal for this process; False if another has it, or has just put it away."""
        file = self._opened()
        if file is None:
            return False
        if _locked(file) and self._is_lock(file):
            self._lock = file
            return True
        file.close()
        return False

    def unlock(self) -> None:
        """Also what a forked child does: closing its copy leaves the parent's lock in force."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def touch(self) -> None:
        """Leaves a trace of the process that writes the journal."""
        with contextlib.suppress(OSError):
            os.utime(self.path / "lock")

    def touched(self) -> int:
        """When its process left the last trace (Unix ms)."""
        times = [0]
        with contextlib.suppress(OSError):
            times += [path.stat().st_mtime_ns // 1_000_000 for path in self.path.iterdir()]
        return max(times)

    def segments(self) -> list[Path]:
        """The files of the segments, the oldest first."""
        return sorted(self.path.glob(f"*{SUFFIX}"))

    def segment(self, first: int) -> Path:
        return self.path / f"{first:020d}{SUFFIX}"

    @property
    def files(self) -> Path:
        """The folder of copies."""
        return self.path / "files"

    def retire(self) -> None:
        """Puts a journal aside of which nothing is left to be sent: who looks for those need not look at it again."""
        with contextlib.suppress(OSError):
            aside = self.path.parent / SENT
            aside.mkdir(mode=0o700, exist_ok=True)
            self.path = self._moved(aside / self.id)
        self.unlock()

    def remove(self) -> None:
        """Takes the journal away, at once for everybody who looks for journals."""
        path = self.path
        with contextlib.suppress(OSError):
            path = self._moved(path.with_name(self.id + REMOVED))
        shutil.rmtree(path, ignore_errors=True)
        self.unlock()

    def _moved(self, target: Path) -> Path:
        """Moves it while it is locked: whoever has opened the lock before finds none there any more."""
        if os.name == "nt":  # what is open cannot be moved
            self.unlock()
        return self.path.rename(target)

    def _opened(self) -> IO[bytes] | None:
        for mode in ("ab", "rb"):  # the second where nothing can be written
            with contextlib.suppress(OSError):
                return (self.path / "lock").open(mode)
        return None

    def _is_lock(self, file: IO[bytes]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), (self.path / "lock").stat())
        except OSError:
            return False

    def _put(self, name: str, note: Note) -> None:
        part = self.path / f"{name}.part"
        part.write_bytes(sealed(note, self.id))
        part.replace(self.path / name)

    def _got(self, name: str, kind: type[T]) -> T | None:
        try:
            return opened((self.path / name).read_bytes(), kind, self.id)
        except (OSError, Damaged):
            return None


class FilePart:
    """A segment of a journal whose process is gone: nothing in it is believed unchecked. OSError if it is not read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            raw = file.read(HEAD.size)
        head = read_head(raw) or salvaged(raw, path.parent.name, path.stem)
        self.path = path
        self.journal, self.first, self.nonce = head or ("", 0, b"")
        self._runs: list[tuple[int, int]] = []
        self._stretches: list[tuple[int, int]] | None = None

    def stretches(self, begin: int) -> list[tuple[int, int]]:
        if self._stretches is None:
            self._stretches = self._checked()
        return [(max(begin, start), end) for start, end in self._stretches if end > begin]

    def read(self, begin: int, end: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(begin)
            return file.read(end - begin)

    @property
    def torn(self) -> bool:
        """Whether something is missing before or between the entries that are whole."""
        found = self.stretches(0)
        return len(found) > 1 or (bool(found) and found[0][0] > HEAD.size)

    @property
    def frayed(self) -> bool:
        """Whether something stands behind the last entry that is whole: what is left of at least one more."""
        found = self.stretches(0)
        behind = found[-1][1] if found else HEAD.size
        return bool(self.read(behind, max(behind, self.path.stat().st_size)).strip(b"\0"))

    def runs(self) -> list[tuple[int, int]]:
        """The numbers of the entries that are whole: first and last of each row without a gap."""
        self.stretches(0)
        return self._runs

    def _checked(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        raw = self.path.read_bytes()
        for begin, end, number in sound(raw, HEAD.size, self.first - 1):
            _extend(found, begin, end, found[-1][1] if found else -1)
            if raw[begin + ENTRY.size] != KEY:  # it bears the number of the entry behind it
                _extend(self._runs, number, number, self._runs[-1][1] + 1 if self._runs else -1)
        return found


def _extend(rows: list[tuple[int, int]], begin: int, end: int, following: int) -> None:
    """Adds to the last row if this is what follows there, else begins another one."""
    if begin == following:
        rows[-1] = (rows[-1][0], end)
    else:
        rows.append((begin, end))


def parts(folder: Folder) -> list[FilePart]:
    """The segments of a journal whose process is gone, without those of another version or that cannot be opened."""
    found = []
    for path in folder.segments():
        with contextlib.suppress(OSError):
            found.append(FilePart(path))
    return sorted((part for part in found if part.journal == folder.id), key=lambda part: part.first)


def all_in(root: Path) -> Iterator[Folder]:
    """The journals below a root, the oldest first."""
    try:
        found = [entry for entry in root.iterdir() if entry.is_dir() and len(entry.name) == 32]
    except OSError:
        return
    for path in sorted(found, key=_age):
        yield Folder(path)


def root_of_servers() -> Path:
    """Where the journals for servers are: of this user, on this machine."""
    chosen = settings.JOURNAL_FOLDER.get()
    if chosen:
        return Path(chosen)
    home = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "logbuch" / "journals"


def disk_bytes(path: Path) -> int:
    """What the files below a folder take."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(folder) / name).stat().st_size
    return total


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _locked(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
