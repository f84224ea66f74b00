"""A file of SQLite's, read without leaving a trace beside it, in whatever state its owner has left it."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from logbuch.errors import InvalidInput
from logbuch.transfer.report import Report

BUSY_SECONDS = 60
"""How long a read waits for another program that is writing."""
UNDONE = "databases that were left amid a write, of which a copy was read with that write undone or completed"
_JOURNAL, _WAL = "-journal", "-wal"
_WAL_MARK, _WAL_MODE = 18, b"\x02\x02"
"""Where a file's header says how it is written, and what it says of a write-ahead log: fileformat2.html, 1.3."""
_UNFINISHED = frozenset(
    {"SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY", "SQLITE_READONLY_CANTINIT", "SQLITE_CANTOPEN"}
)


class SqliteFile:
    """``uri`` is what SQLAlchemy opens. InvalidInput for a file that is not there, or that a copy has no room for."""

    def __init__(self, file: Path, report: Report) -> None:
        if not file.is_file():
            raise InvalidInput(f"There is no file {file}.")
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        how = "mode=ro"
        if _is_unfinished(file):
            file, how = self._finished(file), "mode=rw"
            report.note(UNDONE)
        elif _has_wal(file) and not _beside(file, _WAL).exists():
            how = "immutable=1"  # nobody has it open; otherwise SQLite would make files beside it
        self.uri = f"sqlite:///{file.as_uri()}?{how}&uri=true&timeout={BUSY_SECONDS}"

    def _finished(self, file: Path) -> Path:
        """A copy with its journal, which SQLite brings in order when it is opened."""
        self._copy = tempfile.TemporaryDirectory(prefix="logbuch-import-")
        copy = Path(self._copy.name) / file.name
        try:
            for ending in ("", _JOURNAL, _WAL):
                if _beside(file, ending).exists():
                    shutil.copyfile(_beside(file, ending), _beside(copy, ending))
        except OSError as error:
            self.close()
            raise InvalidInput(
                f"{file} was left amid a write, and cannot be copied to {copy.parent.parent}: {error.strerror}. "
                "Another folder can be named in TMPDIR."
            ) from None
        return copy

    def close(self) -> None:
        if self._copy is not None:
            self._copy.cleanup()


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _is_unfinished(file: Path) -> bool:
    """Whether reading would mean to write first: to undo what a program that was killed has left, or complete it."""
    if not any(_beside(file, ending).exists() for ending in (_JOURNAL, _WAL)):
        return False
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorname", "") in _UNFINISHED
    return False


def _has_wal(file: Path) -> bool:
    with file.open("rb") as content:
        content.seek(_WAL_MARK)
        return content.read(len(_WAL_MODE)) == _WAL_MODE
