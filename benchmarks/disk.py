"""What a database takes on disk, and what that comes to for each point."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figures


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of a database's files, of the write-ahead log beside them, and of pages within that are free again."""

    files: int
    log: int
    free: int | None
    """None where the database does not tell."""


def of_sqlite(file: Path) -> Disk:
    """The file's size once all that can be written back from its log has been."""
    with closing(sqlite3.connect(file, timeout=60)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        free, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    log = file.with_name(file.name + "-wal")
    return Disk(file.stat().st_size, log.stat().st_size if log.exists() else 0, free * page)


def of_postgres(uri: str) -> Disk:
    import psycopg

    query = "SELECT pg_database_size(current_database()), (SELECT sum(size)::bigint FROM pg_ls_waldir())"
    with psycopg.connect(uri, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return Disk(row[0], row[1], None)


def used_by(name: str, before: Disk, after: Disk, points: int) -> Figures:
    """Bytes a point without free pages, which is what points come to in the long run."""
    if before.free is None or after.free is None:
        return {}
    grown = (after.files - after.free) - (before.files - before.free)
    return {f"{name} without free pages, bytes/point": grown / points}


def grown_by(name: str, before: Disk, after: Disk, points: int) -> Figures:
    """Bytes a point by which the files grew. True only while no free pages of earlier work were there to be filled."""
    files, log = after.files - before.files, after.log - before.log
    return {
        f"{name}, bytes/point": files / points,
        f"{name} with write-ahead log, bytes/point": (files + log) / points,
        **used_by(name, before, after, points),
    }
