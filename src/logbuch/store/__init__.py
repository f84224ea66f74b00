"""What is kept: one store, written once over SQLAlchemy Core, on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from logbuch.errors import StoreRefused
from logbuch.store.store import Store

__all__ = ["Store", "open_store"]


def open_store(uri: str, *, seal: bool = True) -> Store:
    """Opens the database of a URI, creating or migrating it: ``sqlite:///FILE`` or ``postgresql://…``.

    Raises :class:`StoreRefused` for a database that must not or cannot be opened.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):  # of a port that is no number
        raise StoreRefused(f"{uri!r} is no database URI: use sqlite:///FILE or postgresql://USER@HOST/NAME.") from None
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database and url.database != ":memory:":
        from logbuch.store.sqlite import SqliteSeam

        return Store(SqliteSeam(Path(url.database).absolute()), seal=seal)
    if backend in ("postgresql", "postgres"):
        from logbuch.store.postgres import PostgresSeam

        return Store(PostgresSeam(url), seal=seal)
    raise StoreRefused(f"The database {uri!r} is not supported: use sqlite:///FILE or postgresql://USER@HOST/NAME.")
