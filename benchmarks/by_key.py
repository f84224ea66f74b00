"""The limit of a search: fetching the rows of runs that are known by primary key, with plain sqlite3.

Reads Logbuch's own database file beside the running server: the same rows, the same pages, no server and no HTTP.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

TABLES = {"runs": "id", "latest": "run", "params": "run", "tags": "run"}
"""What a whole run is made of, and the first column of each table's primary key."""


def seconds(file: Path, run_ids: Sequence[str], repetitions: int) -> list[float]:
    """How long each fetch of all rows of these runs took; the first one, which warms the cache, is left out."""
    spent = []
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        marks = ", ".join("?" * len(run_ids))
        found = connection.execute(f"SELECT id FROM runs WHERE run_id IN ({marks})", list(run_ids))
        ids = [id_ for (id_,) in found]
        assert len(ids) == len(run_ids)
        for _ in range(repetitions + 1):
            begun = time.perf_counter()
            for table, column in TABLES.items():
                connection.execute(f"SELECT * FROM {table} WHERE {column} IN ({marks})", ids).fetchall()
            spent.append(time.perf_counter() - begun)
    return spent[1:]
