"""The upkeep of PostgreSQL's tables while they grow: what autovacuum does too, but a minute or more later.

Until a table was analyzed, the planner guesses what is in it. Until it was vacuumed, an index alone does not tell which
rows there are, and what sealing has taken out of the log keeps its space. An import of 100,000 runs is over before
autovacuum has looked once.

A table is seen to when half as many rows have come as it had: each time it is half as large again, so that all of it
together costs little more than the last time. No writer and no reader waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

logger = logging.getLogger("logbuch.store.upkeep")

PAUSE_SECONDS = 2.0
"""Between commits and a look, and between two looks."""
LATE_SECONDS = 12.0
"""After the last commit PostgreSQL takes up to ten seconds to count what it changed."""
LEAST_ROWS, LEAST_DEAD = 2000, 5000
"""Less is left to autovacuum."""
LEAST_HEAVY = 200
"""The same for dead rows of tables whose rows hold many points each, and of the backlog, which every search reads."""
HEAVY = frozenset({"arrivals", "backlog", "blocks", "summaries", "log_chunks"})
TABLES = ("runs", "latest", "params", "tags", "changes", *sorted(HEAVY))
_QUERY = """
    SELECT c.relname, greatest(c.reltuples, 0)::bigint, s.n_mod_since_analyze, s.n_ins_since_vacuum, s.n_dead_tup
    FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid
    WHERE s.schemaname = current_schema() AND c.relname = ANY(%s)
"""


class Growth(NamedTuple):
    """What became of a table: its rows when they were counted last; rows changed and inserted since; dead rows."""

    table: str
    rows: int
    changed: int
    inserted: int
    dead: int


def command(growth: Growth) -> str | None:
    """What the table needs now; None for nothing. A process that is at it already is not waited for."""
    much = max(LEAST_ROWS, growth.rows // 2)
    analyze = growth.changed >= much
    dead = LEAST_HEAVY if growth.table in HEAVY else max(LEAST_DEAD, growth.rows // 2)
    if growth.inserted >= much or growth.dead >= dead:
        return f"VACUUM (SKIP_LOCKED{', ANALYZE' if analyze else ''}) {growth.table}"
    return f"ANALYZE (SKIP_LOCKED) {growth.table}" if analyze else None


class Upkeep:
    """A thread that looks at the tables while commits come, and sleeps otherwise. ``address`` is that of libpq."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Any = None

    def wake(self) -> None:
        """Told after a commit."""
        self._dirty.set()
        if self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._run, name="logbuch-upkeep", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends what is under way and the thread."""
        self._closed.set()
        self._dirty.set()
        with self._lock, suppress(Exception):  # whatever keeps it from being cancelled, it ends by itself
            if self._connection is not None:
                self._connection.cancel()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while self._dirty.wait() and not self._closed.is_set():
            self._dirty.clear()
            if self._closed.wait(PAUSE_SECONDS):
                return
            self._look()
            if not self._dirty.wait(LATE_SECONDS):
                self._look()

    def _look(self) -> None:
        import psycopg

        try:
            with psycopg.connect(self._address, autocommit=True, connect_timeout=10) as connection:
                look(connection, self._began)
        except psycopg.Error as error:
            # The server is away, or this user may not: autovacuum does it in the end.
            logger.debug("upkeep goes on later: %s", error)
        finally:
            with self._lock:
                self._connection = None

    def _began(self, connection: Any) -> bool:
        """Makes what follows cancellable; False at the end."""
        with self._lock:
            self._connection = connection
        return not self._closed.is_set()


def look(connection: Any, go_on: Callable[[Any], bool] = lambda _: True) -> list[str]:
    """Sees to the tables that need it, on a connection of psycopg that commits by itself; the commands that it gave."""
    given = []
    for row in connection.execute(_QUERY, (list(TABLES),)).fetchall():
        text = command(Growth(*row))
        if text is not None and go_on(connection):
            connection.execute(text)
            given.append(text)
    return given
