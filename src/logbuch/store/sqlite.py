"""SQLite: one file, WAL, a durable commit (``synchronous=FULL``), one writer at a time."""

from __future__ import annotations

import functools
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, create_engine, event, func, literal, text, true
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from logbuch.errors import StoreRefused, Unavailable, of_disk
from logbuch.store.driver import Driver
from logbuch.store.migrate import refuse_strangers
from logbuch.store.query.among import given
from logbuch.store.seam import Upserts, background

BUSY_SECONDS = 30
POLL_SECONDS = 0.4
FREE_PAGES, TIDY_PAUSE = 128, 0.02
CHECKPOINT_PAGES = 2000
"""So long the WAL grows, 8 MB, before it is brought into the database. A checkpoint costs what a commit does, several
times over; of a much longer WAL the pages leave the processor's cache before they are read again."""
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "lustre", "ceph", "gpfs"}
_NEWEST = "SELECT coalesce(max(version), 0) FROM changes"
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
    f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}",
)


class SqliteSeam:
    """SQLite's ways; see :class:`logbuch.store.seam.Seam`."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.where = str(file)
        _check_place(file)
        _check_owner(file)
        try:
            _create(file)
        except (OSError, sqlite3.Error) as error:
            raise _refused(file, error) from None
        self.writer = _engine(file, pool_size=1, max_overflow=2)
        self.upsert = Upserts(insert)
        self.driver = Driver(self.writer.dialect)
        self.reader = _engine(file, pool_size=4, max_overflow=12)
        self._stamps = Stamps(file)

    @contextmanager
    def begin_write(self, connection: Connection) -> Iterator[None]:
        self.driver.execute(connection, "BEGIN IMMEDIATE")
        try:
            yield
            self.driver.execute(connection, "COMMIT")
        except BaseException:
            if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
                connection.exec_driver_sql("ROLLBACK")
            raise

    @contextmanager
    def begin_read(self, connection: Connection) -> Iterator[None]:
        self.driver.execute(connection, "BEGIN")
        try:
            yield
        finally:
            self.driver.execute(connection, "ROLLBACK")

    def create_lock(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE already keeps every other writer out."""

    def lock_runs(self, connection: Connection, run_ids: Sequence[str]) -> None:
        """BEGIN IMMEDIATE already keeps every other writer out."""

    def lock_run(self, connection: Connection, run: int) -> None:
        """BEGIN IMMEDIATE already keeps every other writer out."""

    def copy(self, file: Path) -> None:
        with self.reader.connect() as connection, closing(sqlite3.connect(file)) as target:
            raw: Any = connection.connection.driver_connection
            try:
                raw.backup(target)  # in one step: one snapshot
            except sqlite3.Error as error:  # the driver's own, which nobody else translates
                raise Unavailable(f"The database cannot be copied to {file.parent.parent}: {error}.") from None

    def faults(self, connection: Connection) -> list[str]:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
        return [str(line) for line in found if line != "ok"]

    def numbered(self, connection: Connection, table: Table) -> None:
        """Tables that number their rows go on behind the highest number by themselves."""

    def version(self, connection: Connection) -> int:
        return self._newest(connection) + 1

    def horizon(self, connection: Connection) -> int:
        return self._newest(connection) + 1

    def _newest(self, connection: Connection) -> int:
        return int(self.driver.fetch(connection, _NEWEST)[0][0])

    def like(self, column: ColumnElement[str], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
        if ignore_case and pattern.isascii():
            # SQLite's own way folds ASCII alone, and is many times as fast.
            return column.op("LIKE", is_comparison=True)(literal(pattern))
        if ignore_case:
            return func.lower(column).op("LIKE", is_comparison=True)(literal(pattern.lower()))
        return column.op("GLOB", is_comparison=True)(literal(_as_glob(pattern)))

    def of_given(self, query: Select[Any], column: ColumnElement[int]) -> Select[Any]:
        return query.where(given(column))

    def probed(self, query: Select[Any]) -> Select[Any]:
        return query

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        return column + 0  # to a sum no index leads

    def indexed_parts(self, value: ColumnElement[str]) -> Sequence[ColumnElement[bool]]:  # noqa: ARG002
        return [true()]

    def watch(self, changed: Callable[[], None]) -> AbstractContextManager[None]:
        """Other processes (a training that writes into the same file) show in SQLite's data_version."""
        return background(functools.partial(self._poll, changed))

    def _poll(self, changed: Callable[[], None], stop: threading.Event) -> None:
        with self.reader.connect() as connection:
            seen: int | None = None
            while not stop.wait(POLL_SECONDS):
                current = connection.execute(text("PRAGMA data_version")).scalar_one()
                if seen is not None and current != seen:
                    changed()
                seen = current

    def stamp(self) -> tuple[int, int] | None:
        return self._stamps.now()

    def committed(self) -> None:
        """Other processes see a commit by themselves."""

    def tend(self) -> None:
        """SQLite needs looking after only when nothing is being written."""

    def tidy(self, stop: Callable[[], bool]) -> None:
        """Returns free pages to the file system and empties the WAL, a little at a time, while nobody else works."""
        with self.reader.connect() as connection:
            raw: Any = connection.connection.driver_connection
            self.driver.execute(connection, "PRAGMA busy_timeout=0")
            # A script, for the driver steps a single statement without rows only once, which frees a single page.
            with suppress(sqlite3.OperationalError):
                while not stop() and raw.execute("PRAGMA freelist_count").fetchone()[0] >= FREE_PAGES:
                    raw.executescript(f"PRAGMA incremental_vacuum({FREE_PAGES})")
                    time.sleep(TIDY_PAUSE)
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.driver.execute(connection, f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")

    def retryable(self, error: Exception) -> bool:  # noqa: ARG002
        return False

    def busy(self, error: Exception) -> bool:
        return isinstance(error, OperationalError)

    def close(self) -> None:
        self._stamps.close()
        self.writer.dispose()
        self.reader.dispose()


class Stamps:
    """SQLite's data_version as one connection sees it: another number after each commit of any other connection."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0
        """Numbers of different connections mean nothing to one another."""

    def now(self) -> tuple[int, int] | None:
        """None while the file cannot be asked."""
        with self._lock, suppress(sqlite3.Error):
            if self._connection is None:
                self._connection = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
                self._opened += 1
            return self._opened, self._connection.execute("PRAGMA data_version").fetchone()[0]
        return None

    def close(self) -> None:
        """The next question opens the file anew."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()


def _engine(file: Path, **options: int) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        poolclass=QueuePool,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "cached_statements": 256},
        **options,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun by us, not by the driver
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        connection.create_function("lower", 1, lambda value: None if value is None else str(value).lower())

    return engine


def _as_glob(pattern: str) -> str:
    """A LIKE pattern as a GLOB pattern: SQLite's LIKE ignores case, its GLOB does not, and GLOB can use an index."""
    translated = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(translated.get(character, character) for character in pattern)


def _check_place(file: Path) -> None:
    folder = file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The folder {folder} cannot be made: {error.strerror}."
        raise StoreRefused(message, passing=of_disk(error)) from None
    if not os.access(folder, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise StoreRefused(f"The database {file} cannot be written: permission denied.", passing=True)
    if file.is_dir():
        raise StoreRefused(f"The database {file} is a folder.")
    kind = _file_system(folder)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise StoreRefused(
            f"The database {file} lies on a network file system ({kind}), where SQLite loses data. "
            "Choose a local disk, or PostgreSQL."
        )


def _refused(file: Path, error: Exception) -> StoreRefused:
    reason = getattr(error, "strerror", None) or error
    return StoreRefused(f"The database {file} cannot be opened: {reason}", passing=of_disk(error))


def _create(file: Path) -> None:
    """Makes the file private, for runs may hold what their owner would not show to others on the machine.

    Whether a file can shrink is settled before its first table. Asked of an older file it would want the write lock.
    """
    if not file.exists():
        _hide_from_git(file.parent)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    if file.stat().st_size == 0:
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")


def _hide_from_git(folder: Path) -> None:
    """A store within a project is none of its files, nor something that its runs would take along."""
    ignored = folder / ".gitignore"
    if folder.name == ".logbuch" and not ignored.exists():
        with suppress(OSError):
            ignored.write_text("*\n", encoding="utf-8")


def _check_owner(file: Path) -> None:
    """Looks at the tables without writing a byte: opening for writing would already change the journal's mode."""
    if not file.exists() or file.stat().st_size == 0:
        return
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    except sqlite3.Error as error:
        raise _refused(file, error) from None
    refuse_strangers(names, str(file))


def _file_system(folder: Path) -> str | None:
    """The type of the file system that holds a folder, from Linux's mount table; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    best, kind = "", None
    real = str(folder.resolve())
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
        _, mount, type_, *_ = line.split(" ")
        mount = mount.replace("\\040", " ")
        if (real == mount or real.startswith(mount.rstrip("/") + "/")) and len(mount) >= len(best):
            best, kind = mount, type_
    return kind
