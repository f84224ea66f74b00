"""What a new connection to PostgreSQL is asked and told: whether the server will do, and who stands between.

A pooler such as PgBouncer, where it pools transactions, gives each of them another session: what was prepared or set
in the last one is not there, and notifications never come. It shows by the number of the server's process, which is
its own invention. Then nothing is prepared, settings go with each transaction, and who waits for changes asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL, Engine

from logbuch.errors import StoreRefused

if TYPE_CHECKING:
    import psycopg

OLDEST = 130_000
"""PostgreSQL 13, the first with 64-bit transaction IDs in SQL."""
POOLED = "pooled"
READ_ONLY = "25006"
"""What a server says of a write that has become a standby: the connection is good for nothing more."""
_READING = {"jit": "off", "random_page_cost": "1.1", "work_mem": "16MB", "parallel_setup_cost": "5000"}
"""Short queries, of which indexes know the way: to start processes takes longer than most of them do."""
_SET = ", ".join(f"set_config('{name}', '{value}', %s)" for name, value in _READING.items())


def attend(engine: Engine, *, reads: bool) -> None:
    """Has every new connection of an engine looked at and settled."""

    def opened(connection: Any, record: Any) -> None:
        try:
            check(connection)
        except StoreRefused:
            connection.close()
            raise
        record.info[POOLED] = pooled(connection)
        if record.info[POOLED]:
            connection.prepare_threshold = None
        elif reads:
            connection.execute(f"SELECT {_SET}", [False] * len(_READING))
        connection.commit()

    event.listen(engine, "connect", opened, insert=True)  # before SQLAlchemy asks, and stumbles over another encoding
    event.listen(engine, "handle_error", _notice_standby)


def settle(connection: Connection) -> None:
    """Tells a transaction that reads what a session of its own would know."""
    if connection.info.get(POOLED):
        cursor: Any = connection.connection.cursor()
        cursor.execute(f"SELECT {_SET}", [True] * len(_READING))
        cursor.close()


def check(connection: psycopg.Connection[Any]) -> None:
    """StoreRefused for a server that cannot hold what is logged."""
    info = connection.info
    if info.server_version < OLDEST:
        found = info.parameter_status("server_version")
        raise StoreRefused(f"The database is on PostgreSQL {found}; Logbuch needs 13 or newer.")
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreRefused(
            f"The database {info.dbname} holds texts as {encoding}; Logbuch needs UTF8: "
            f"CREATE DATABASE {info.dbname} ENCODING 'UTF8' TEMPLATE template0."
        )


def pooled(connection: psycopg.Connection[Any]) -> bool:
    """Whether a pooler stands between this connection and the server."""
    found = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    return found is None or found[0] != connection.info.backend_pid


def lost(error: BaseException) -> bool:
    """Whether an error of the driver says that its connection leads to a standby."""
    return getattr(error, "sqlstate", None) == READ_ONLY


def address(url: URL) -> str:
    """The database as libpq takes it, with the password; several hosts too."""
    import psycopg.conninfo

    made: Any = PGDialect_psycopg
    _, options = made(dbapi=psycopg).create_connect_args(url)
    options.pop("context", None)  # the dialect's own
    return psycopg.conninfo.make_conninfo(**options)


def _notice_standby(context: Any) -> None:
    if lost(context.original_exception):
        context.is_disconnect = True
