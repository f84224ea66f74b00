"""What differs between the databases, and nothing else: one small class each in sqlite.py and postgres.py."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table
from sqlalchemy.sql.dml import Insert

from logbuch.store.driver import Driver

Update = Callable[[Any], Mapping[str, Any]]


class Upserts:
    """Makes upserts: inserts that, where the primary key is taken, set what ``update(excluded)`` says, or do nothing.

    Statements are kept, since building one costs more than executing it: ``update`` has to be a lasting function.
    """

    def __init__(self, insert: Callable[[Table], Any]) -> None:
        self._insert = insert
        self._made: dict[tuple[str, Update | None], Insert] = {}

    def __call__(self, table: Table, update: Update | None) -> Insert:
        made = self._made.get((table.name, update))
        if made is None:
            made = self._made[table.name, update] = self._make(table, update)
        return made

    def _make(self, table: Table, update: Update | None) -> Insert:
        statement = self._insert(table)
        if update is None:
            made: Insert = statement.on_conflict_do_nothing()
        else:
            keys = list(table.primary_key.columns)
            made = statement.on_conflict_do_update(index_elements=keys, set_=dict(update(statement.excluded)))
        return made


def new_value(new: Any) -> Mapping[str, Any]:
    """The update of tables whose rows are a key and a value."""
    return {"value": new.value}


@contextmanager
def background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs ``work(stop)`` in a thread while the block lasts."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,), name="logbuch-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Seam(Protocol):
    """A database's own ways. ``writer`` and ``reader`` are its engines; both are opened lazily by SQLAlchemy."""

    writer: Engine
    reader: Engine
    where: str
    upsert: Upserts
    driver: Driver

    def begin_write(self, connection: Connection) -> AbstractContextManager[Any]:
        """A transaction that may write, committed durably at the end of the block."""

    def begin_read(self, connection: Connection) -> AbstractContextManager[Any]:
        """A transaction that sees one snapshot."""

    def create_lock(self, connection: Connection) -> None:
        """Makes other processes wait that want to create or migrate the schema, until the transaction ends."""

    def lock_runs(self, connection: Connection, run_ids: Sequence[str]) -> None:
        """Makes other replicas wait that want to write to these runs; the IDs ascend, so that none waits in a ring."""

    def lock_run(self, connection: Connection, run: int) -> None:
        """Makes other replicas wait that want to seal this run, until the transaction ends."""

    def copy(self, file: Path) -> None:
        """Writes one snapshot of the whole database into a new SQLite file, while others go on writing."""

    def faults(self, connection: Connection) -> list[str]:
        """What the database itself finds wrong with its files; empty where it cannot tell."""

    def numbered(self, connection: Connection, table: Table) -> None:
        """Told after a row was given an ID that the table did not choose: the next one it chooses is free."""

    def version(self, connection: Connection) -> int:
        """The number of the current write transaction, as it stands in ``changes.version``."""

    def horizon(self, connection: Connection) -> int:
        """A cursor: every change that this snapshot does not show yet will bear this number or a higher one."""

    def like(self, column: ColumnElement[str], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
        """SQL LIKE with ``%`` and ``_``; a backslash has no meaning."""

    def of_given(self, query: Select[Any], column: ColumnElement[int]) -> Select[Any]:
        """The query's rows whose ``column`` is one of :func:`logbuch.store.query.among.given_ids`, which an index finds
        one after the other, whatever the database's statistics say or leave out."""

    def probed(self, query: Select[Any]) -> Select[Any]:
        """A query of an EXISTS that is to be asked of one row after the other, and not turned into a join."""

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """A column as a join is to compare it that begins with the other table, where the planner has to be told so."""

    def indexed_parts(self, value: ColumnElement[str]) -> Sequence[ColumnElement[bool]]:
        """Conditions of which exactly one holds of each value of a param or tag: one for each index of them."""

    def watch(self, changed: Callable[[], None]) -> AbstractContextManager[None]:
        """Calls ``changed`` from a thread whenever another process may have committed, while the block lasts."""

    def stamp(self) -> Hashable | None:
        """Another value after every commit of any process; None where asking would cost as much as reading."""

    def committed(self) -> None:
        """Told after every commit of this process."""

    def tend(self) -> None:
        """Told by a process that looks after the database for all: the seam may do so from now on."""

    def tidy(self, stop: Callable[[], bool]) -> None:
        """Told when nothing is being written: the time to give space back, until ``stop`` says that there is work."""

    def retryable(self, error: Exception) -> bool:
        """Whether a transaction that failed so may be tried again from its start."""

    def busy(self, error: Exception) -> bool:
        """Whether the error says that the database cannot be written or reached now."""

    def close(self) -> None: ...
