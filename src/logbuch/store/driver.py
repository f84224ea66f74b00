"""Statements on the hot path: compiled once by SQLAlchemy, executed by the database's driver itself.

SQLAlchemy's own way of execution costs more time than the database needs for a small statement. The driver's errors
are SQLAlchemy's here too, so that nobody has to know two kinds.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

Row = tuple[Any, ...]


class Driver:
    """Executes text with positional values, which are bound as they are: no types are converted."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._mark = {"qmark": "?", "format": "%s"}[dialect.paramstyle]
        self._text = functools.lru_cache(256)(self._compile)
        self._returning = functools.lru_cache(64)(self._compile_returning)

    def execute(self, connection: Connection, text: str, values: Row = ()) -> None:
        """Executes a statement."""
        cursor = _cursor(connection)
        try:
            cursor.execute(text, values)
        except self._dialect.loaded_dbapi.Error as error:
            raise self._translated(connection, cursor, text, values, error) from error
        finally:
            cursor.close()

    def fetch(self, connection: Connection, text: str, values: Row = ()) -> list[Row]:
        """All rows of a query."""
        cursor = _cursor(connection)
        try:
            cursor.execute(text, values)
            rows: list[Row] = cursor.fetchall()
        except self._dialect.loaded_dbapi.Error as error:
            raise self._translated(connection, cursor, text, values, error) from error
        finally:
            cursor.close()
        return rows

    def marks(self, count: int) -> str:
        """Places for so many values, separated by commas."""
        return ",".join((self._mark,) * count)

    def insert(self, connection: Connection, statement: Insert, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Inserts or upserts rows. ``statement`` has to be a lasting object; ``columns`` names the items of a row."""
        text = self._text(statement, columns)
        if len(rows) == 1:
            self.execute(connection, text, rows[0])
            return
        cursor = _cursor(connection)
        try:
            cursor.executemany(text, rows)
        except self._dialect.loaded_dbapi.Error as error:
            raise self._translated(connection, cursor, text, rows, error) from error
        finally:
            cursor.close()

    def insert_one(self, connection: Connection, table: Table, columns: tuple[str, ...], row: Row) -> int:
        """Inserts a row into a table that numbers its rows, and returns the number."""
        return int(self.fetch(connection, self._returning(table, columns), row)[0][0])

    def _compile_returning(self, table: Table, columns: tuple[str, ...]) -> str:
        return self._bound(table.insert().returning(table.c.id), columns)

    def _compile(self, statement: Insert, columns: tuple[str, ...]) -> str:
        return self._bound(statement.inline(), columns)

    def _bound(self, statement: Insert, columns: tuple[str, ...]) -> str:
        """The statement as text; refused unless it takes the values in the order of ``columns``."""
        compiled: Any = statement.compile(dialect=self._dialect, column_keys=list(columns))
        if tuple(compiled.positiontup) != columns:
            raise ValueError(f"the statement binds {compiled.positiontup}, not {columns}")
        return str(compiled)

    def _translated(self, connection: Connection, cursor: Any, text: str, values: Any, error: Any) -> Exception:
        lost = self._dialect.is_disconnect(error, connection.connection.driver_connection, cursor)
        if lost:
            connection.invalidate(error)
        made: Any = DBAPIError.instance
        translated: Exception = made(
            text,
            values,
            error,
            self._dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=self._dialect,
        )
        return translated


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()
