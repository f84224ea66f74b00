"""Brings a database to this version's schema, or refuses it in one line.

A fresh database gets the tables at once and is stamped; an older one of Logbuch's is migrated by Alembic; MLflow's,
a newer Logbuch's or a stranger's is never written.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from logbuch.errors import StoreRefused, of_disk
from logbuch.store import model_tables, schema
from logbuch.store.alarms import tables as _alarm_tables  # noqa: F401  they join the metadata
from logbuch.store.delivery import tables as _delivery_tables  # noqa: F401
from logbuch.store.migrations import HEAD, REVISIONS, VERSION_TABLE
from logbuch.store.seam import Seam

DEFAULT_EXPERIMENT = "Default"


def prepare(seam: Seam) -> str:
    """Creates or migrates the schema, and returns the store's id, which never changes in its life."""
    try:
        with seam.reader.connect() as connection:
            if _revision(connection) == HEAD and (id_ := _store_id(connection)) is not None:
                return id_
        with seam.writer.connect() as connection, seam.begin_write(connection):
            seam.create_lock(connection)
            _bring_up(connection, seam)
            id_ = _store_id(connection)
            assert id_ is not None
            return id_
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        message = f"The database {seam.where} cannot be opened: {reason}"
        raise StoreRefused(message, passing=of_disk(error.orig)) from None
    except SQLAlchemyError as error:
        raise StoreRefused(f"The database {seam.where} cannot be opened: {error}") from None


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Runs Alembic's migrations up to a revision on an open transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _bring_up(connection: Connection, seam: Seam) -> None:
    revision = _revision(connection)
    if revision is None:
        refuse_strangers(inspect(connection).get_table_names(), seam.where)
        model_tables.metadata.create_all(connection)
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:head)"), {"head": HEAD})  # noqa: S608
    elif revision not in REVISIONS:
        raise StoreRefused(
            f"The database {seam.where} was written by a newer Logbuch (schema {revision}; this one knows {HEAD}). "
            "Install the version that wrote it, or a newer one."
        )
    elif revision != HEAD:
        upgrade(connection)
    _fill(connection, seam)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    row = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).first()  # noqa: S608
    return None if row is None else str(row[0])


def refuse_strangers(names: Iterable[str], where: str) -> None:
    """Refuses a database by the names of its tables, unless it is Logbuch's or has none of these names."""
    tables = set(names)
    if VERSION_TABLE in tables:
        return
    if {"experiments", "alembic_version"} <= tables:
        raise StoreRefused(
            f"The database {where} is MLflow's and is not written. Choose another --backend-store-uri for Logbuch."
        )
    if tables & set(schema.metadata.tables):
        raise StoreRefused(f"The database {where} holds tables of another program and is not written.")


def _fill(connection: Connection, seam: Seam) -> None:
    """The store's id and the experiment 0, which every MLflow client expects."""
    if _store_id(connection) is None:
        connection.execute(schema.meta.insert(), {"key": "store_id", "value": uuid.uuid4().hex})
        row = {"id": 0, "name": DEFAULT_EXPERIMENT, "artifact_location": "", "deleted": False}
        now = {"creation_time": _now(), "last_update_time": _now()}
        connection.execute(seam.upsert(schema.experiments, None), row | now)


def _store_id(connection: Connection) -> str | None:
    id_: str | None = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "store_id")).scalar()
    return id_


def _now() -> int:
    return time.time_ns() // 1_000_000
