"""The limit of a search: fetching the rows of runs that are known by primary key, with the database's plain driver.

Reads Logbuch's own database beside the running server: the same rows, the same pages, no server and no HTTP.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

TABLES = {"runs": "id", "latest": "run", "params": "run", "tags": "run"}
"""What a whole run is made of, and the first column of each table's primary key."""
Ask = Callable[[str, Sequence[Any]], list[Any]]
"""All rows of a query in which ``{}`` stands for the test that a column is one of these values."""


def seconds(database: Path | str, run_ids: Sequence[str], repetitions: int) -> list[float]:
    """How long each fetch of all rows of these runs took; the first one, which warms the cache, is left out.

    ``database`` is a file of SQLite or the URI of PostgreSQL.
    """
    if isinstance(database, Path):
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            return _timed(lambda text, values: _of_sqlite(connection, text, values), run_ids, repetitions)
    import psycopg

    with psycopg.connect(database) as server:
        return _timed(lambda text, values: server.execute(text.format("= ANY(%s)"), [values]).fetchall(), run_ids,
                      repetitions)  # fmt: skip


def _of_sqlite(connection: sqlite3.Connection, text: str, values: Sequence[Any]) -> list[Any]:
    return connection.execute(text.format(f"IN ({', '.join('?' * len(values))})"), values).fetchall()


def _timed(ask: Ask, run_ids: Sequence[str], repetitions: int) -> list[float]:
    ids = [id_ for (id_,) in ask("SELECT id FROM runs WHERE run_id {}", list(run_ids))]
    assert len(ids) == len(run_ids)
    spent = []
    for _ in range(repetitions + 1):
        begun = time.perf_counter()
        for table, column in TABLES.items():
            ask(f"SELECT * FROM {table} WHERE {column} {{}}", ids)
        spent.append(time.perf_counter() - begun)
    return spent[1:]
