"""PostgreSQL: any number of replicas over one database; wake-ups by LISTEN and NOTIFY."""

from __future__ import annotations

import functools
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Table,
    bindparam,
    create_engine,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.sql.dml import Insert

from logbuch.errors import StoreRefused
from logbuch.store import copying, schema, session
from logbuch.store.driver import Driver, Row
from logbuch.store.query.among import given_ids
from logbuch.store.seam import Upserts, background
from logbuch.store.upkeep import Upkeep

CHANNEL = "logbuch_changes"
NOTIFY_SECONDS = 0.25
ARRAY_ROWS = 8
RECONNECT_SECONDS = 2.0
POLL_SECONDS = 0.5
_SCHEMA_LOCK = 0x106B_0C40
_RUN_LOCKS = 0x106B
_WRITE_LOCKS = 0x106C
_RETRY_STATES = {"40001", "40P01"}


class PostgresSeam:
    """PostgreSQL's ways; see :class:`logbuch.store.seam.Seam`."""

    def __init__(self, url: URL) -> None:
        try:
            import psycopg  # noqa: F401
        except ImportError:
            raise StoreRefused("PostgreSQL needs a driver: pip install 'logbuch[postgres]'.") from None
        url = url.set(drivername="postgresql+psycopg")
        self.url = url
        self.where = url.render_as_string(hide_password=True)
        options = {"connect_timeout": 10, "application_name": "logbuch"}
        self.writer = create_engine(url, pool_size=1, max_overflow=2, connect_args=options)
        self.upsert = Upserts(insert)
        self.driver: Driver = _ArrayDriver(_positional())
        self.reader = create_engine(
            url,
            pool_size=4,
            max_overflow=12,
            isolation_level="REPEATABLE READ",
            connect_args=options,
        )
        session.attend(self.writer, reads=False)
        session.attend(self.reader, reads=True)
        self._notifier = _Notifier(self._notify)
        self._upkeep: Upkeep | None = None

    @property
    def _address(self) -> str:
        return session.address(self.url)

    @contextmanager
    def begin_write(self, connection: Connection) -> Iterator[None]:
        with connection.begin():
            yield

    @contextmanager
    def begin_read(self, connection: Connection) -> Iterator[None]:
        with connection.begin():
            session.settle(connection)
            yield

    def create_lock(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})

    def lock_runs(self, connection: Connection, run_ids: Sequence[str]) -> None:
        # Two runs that share a number wait for each other in vain, but never in a ring: the numbers ascend.
        numbers = sorted({zlib.crc32(run_id.encode("utf-8", "replace")) & 0x7FFF_FFFF for run_id in run_ids})
        if numbers:
            query = "SELECT pg_advisory_xact_lock(%s, number) FROM unnest(%s::int[]) AS number"
            self.driver.execute(connection, query, (_WRITE_LOCKS, numbers))

    def lock_run(self, connection: Connection, run: int) -> None:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:space, :run)"), {"space": _RUN_LOCKS, "run": run & 0x7FFF_FFFF}
        )

    def copy(self, file: Path) -> None:
        with self.reader.connect() as connection:
            copying.save(self, connection, file)

    def faults(self, connection: Connection) -> list[str]:  # noqa: ARG002
        return []

    def numbered(self, connection: Connection, table: Table) -> None:
        sequence, highest = (
            func.pg_get_serial_sequence(table.name, "id"),
            select(func.greatest(func.max(table.c.id), 1)),
        )
        connection.execute(select(func.setval(sequence, highest.scalar_subquery())))

    def version(self, connection: Connection) -> int:
        return int(self.driver.fetch(connection, "SELECT pg_current_xact_id()::text::bigint")[0][0])

    def horizon(self, connection: Connection) -> int:
        """Transactions become visible in another order than they begin: the oldest one still open is the cursor."""
        query = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        return int(connection.execute(text(query)).scalar_one())

    def like(self, column: ColumnElement[str], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
        bound = literal(pattern.replace("\\", "\\\\"))
        if not ignore_case:
            return column.like(bound)
        # The column's own collation folds ASCII alone, and at a fraction of the time.
        return column.ilike(bound) if pattern.isascii() else column.collate("default").ilike(bound)

    def of_given(self, query: Select[Any], column: ColumnElement[int]) -> Select[Any]:
        # Without statistics (a table that has just grown) the planner would rather read the whole table.
        numbers = func.translate(given_ids(), "[]", "{}").cast(ARRAY(BigInteger))
        wanted = func.unnest(numbers).table_valued("id", name="wanted").render_derived()
        own = self.probed(query.where(column == wanted.c.id)).lateral("own")
        return select(*own.c).select_from(wanted.join(own, literal_column("true")))

    def probed(self, query: Select[Any]) -> Select[Any]:
        return query.offset(literal_column("0"))  # the planner's own fence: it pulls up nothing that has an offset

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        return column  # of a sum the planner knows nothing, and of the column how many rows have the value

    def indexed_parts(self, value: ColumnElement[str]) -> Sequence[ColumnElement[bool]]:
        size: ColumnElement[int] = func.octet_length(value)
        most: ColumnElement[int] = literal_column(str(schema.INDEXED_BYTES))
        return [size <= most, size > most]

    def watch(self, changed: Callable[[], None]) -> AbstractContextManager[None]:
        return background(functools.partial(self._listen, changed))

    def _listen(self, changed: Callable[[], None], stop: threading.Event) -> None:
        import psycopg

        while not stop.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=10) as connection:
                    if session.pooled(connection):
                        _poll(connection, changed, stop)
                        continue
                    connection.execute(f"LISTEN {CHANNEL}")
                    changed()
                    while not stop.is_set():
                        for _ in connection.notifies(timeout=1.0, stop_after=1):
                            changed()
            except psycopg.Error:
                # The server is away: subscribers keep their cursor, and the next connection tells them to look.
                stop.wait(RECONNECT_SECONDS)

    def stamp(self) -> None:
        """PostgreSQL would have to be asked, like for anything else."""

    def committed(self) -> None:
        self._notifier.wake()
        if self._upkeep is not None:
            self._upkeep.wake()

    def tend(self) -> None:
        self._upkeep = Upkeep(self._address)

    def _notify(self) -> None:
        for _ in range(2):  # the connection may have broken since it was used last
            with suppress(DBAPIError), self.writer.connect() as connection, connection.begin():
                connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
                return

    def tidy(self, stop: Callable[[], bool]) -> None:  # noqa: ARG002
        """What sealing took out of the log keeps its space until a vacuum."""
        if self._upkeep is not None:
            self._upkeep.wake()

    def retryable(self, error: Exception) -> bool:
        return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _RETRY_STATES

    def busy(self, error: Exception) -> bool:
        return isinstance(error, OperationalError | InterfaceError)

    def close(self) -> None:
        self._notifier.close()
        if self._upkeep is not None:
            self._upkeep.close()
        self.writer.dispose()
        self.reader.dispose()


def _poll(connection: Any, changed: Callable[[], None], stop: threading.Event) -> None:
    """Where no notification comes: asks whether any transaction has ended since."""
    seen: Any = None
    while not stop.is_set():
        newest = connection.execute("SELECT pg_current_snapshot()::text", prepare=False).fetchone()
        if newest != seen:
            changed()
        seen = newest
        stop.wait(POLL_SECONDS)


class _ArrayDriver(Driver):
    """Inserts many rows as one statement of an array a column, which costs a third of a statement a row."""

    def insert(self, connection: Connection, statement: Insert, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        if len(rows) < ARRAY_ROWS:
            super().insert(connection, statement, columns, rows)
        else:
            text = self._array_text(statement, columns)
            self.execute(connection, text, tuple(map(_array, zip(*rows, strict=True))))

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._array_text = functools.lru_cache(256)(self._compile_arrays)

    def _compile_arrays(self, statement: Insert, columns: tuple[str, ...]) -> str:
        types = {name: statement.table.c[name].type for name in columns}
        arrays = func.unnest(*(bindparam(name, type_=ARRAY(types[name])) for name in columns))
        table = arrays.table_valued(*columns).render_derived()
        filled = statement.inline().from_select(list(columns), select(*table.c))
        compiled: Any = filled.compile(dialect=self._dialect)
        # Bytes in their own form: as text, each becomes two characters, and is read back.
        return str(compiled).replace("%s::BYTEA[]", "%b::BYTEA[]")


def _array(column: Sequence[Any]) -> Any:
    """A column as the driver takes it: whole numbers as one text, since it would convert them one by one."""
    if all(value is None or type(value) is int for value in column):
        return "{" + ",".join(["NULL" if value is None else str(value) for value in column]) + "}"
    return list(column)


class _Dialect(PGDialect_psycopg):
    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        usual: Any = super()
        return session.lost(e) or bool(usual.is_disconnect(e, connection, cursor))


def _positional() -> Any:
    """The dialect with ``%s`` for values, which rows as tuples need."""
    made: Any = _Dialect
    return made(paramstyle="format", dbapi=made.import_dbapi())


class _Notifier:
    """Sends one NOTIFY after a commit, and at most one in 250 ms, from a thread that sleeps while nothing happens."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._dirty = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        self._dirty.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="logbuch-notify", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._dirty.wait()
            if self._closed.is_set():
                return
            self._dirty.clear()
            self._send()
            self._closed.wait(NOTIFY_SECONDS)

    def close(self) -> None:
        self._closed.set()
        self._dirty.set()
        if self._thread is not None:
            self._thread.join()


__all__ = ["PostgresSeam"]
