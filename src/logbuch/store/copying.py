"""Whole databases as one file: a SQLite database of our schema, whichever database they come from or go to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Table, func, select

from logbuch.errors import StoreRefused
from logbuch.store import schema
from logbuch.store.migrate import prepare
from logbuch.store.seam import Seam

ROWS_AT_ONCE = 1000


def save(seam: Seam, connection: Connection, file: Path) -> None:
    """Writes what a snapshot of a database shows into a new file."""
    from logbuch.store.sqlite import SqliteSeam

    target = SqliteSeam(file)
    try:
        prepare(target)
        with seam.begin_read(connection), target.writer.connect() as new, target.begin_write(new):
            _empty(new)
            copy_rows(connection, new)
    finally:
        target.close()


def load(file: Path, seam: Seam) -> None:
    """Fills an empty database with what a file holds; StoreRefused for one that holds runs already."""
    from logbuch.store.sqlite import SqliteSeam

    source = SqliteSeam(file)
    try:
        prepare(source)  # a backup of an older version is brought to this one's schema first
        with (
            source.reader.connect() as old,
            source.begin_read(old),
            seam.writer.connect() as new,
            seam.begin_write(new),
        ):
            if new.execute(select(func.count()).select_from(schema.runs)).scalar():
                raise StoreRefused(f"The database {seam.where} holds runs already: restore into an empty one.")
            _empty(new)
            copy_rows(old, new)
            for table in schema.metadata.sorted_tables:
                if _numbered(table):
                    seam.numbered(new, table)
    finally:
        source.close()


def _empty(connection: Connection) -> None:
    for table in reversed(schema.metadata.sorted_tables):
        connection.execute(table.delete())


def copy_rows(old: Connection, new: Connection) -> None:
    """Copies every table from one database to another, those first that others refer to."""
    for table in schema.metadata.sorted_tables:
        for rows in _parts(old, table):
            new.execute(table.insert(), rows)


def _parts(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    found = connection.execution_options(stream_results=True).execute(select(table))
    for part in found.mappings().partitions(ROWS_AT_ONCE):
        yield [dict(row) for row in part]


def _numbered(table: Table) -> bool:
    """Whether the database numbers the rows of a table by itself."""
    column = table.autoincrement_column
    return column is not None and column.autoincrement is not False and isinstance(column.type, Integer)
