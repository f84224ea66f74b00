"""Opening databases: fresh, migrated, foreign, newer; and many at once."""

from __future__ import annotations

import multiprocessing
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from logbuch.errors import StoreRefused
from logbuch.store import experiments, migrate, open_store
from logbuch.store.migrations import HEAD, REVISIONS, VERSION_TABLE


def connect(uri: str) -> Any:
    url = make_url(uri)
    return create_engine(url if url.drivername == "sqlite" else url.set(drivername="postgresql+psycopg"))


def described(connection: Connection) -> list[str]:
    """The whole schema as text, one sorted line a column, constraint or index."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text(f"SELECT sql FROM sqlite_master WHERE sql != '' AND name != '{VERSION_TABLE}'"))
        return sorted(" ".join(sorted(re.findall(r"[\w']+", row[0]))) for row in rows)
    queries = (
        "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || "
        "coalesce(collation_name, '') || ' ' || coalesce(column_default, '') "
        "FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT attrelid::regclass || ' ' || attname || ' ' || attstorage::text FROM pg_attribute "
        "JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    return sorted(row[0] for query in queries for row in connection.execute(text(query)) if VERSION_TABLE not in row[0])


@pytest.fixture
def second_uri(request: pytest.FixtureRequest, store_uri: str, tmp_path: Path) -> str:
    if store_uri.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/second.db"
    uri: str = request.getfixturevalue("new_postgres")()
    return uri


def test_a_migrated_schema_equals_a_fresh_one(store_uri: str, second_uri: str) -> None:
    open_store(store_uri).close()
    migrated = connect(second_uri)
    with migrated.begin() as connection:
        migrate.upgrade(connection)
    fresh = connect(store_uri)
    with fresh.connect() as first, migrated.connect() as second:
        assert described(second) == described(first)
        assert second.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one() == HEAD
    fresh.dispose()
    migrated.dispose()
    opened = open_store(second_uri)
    assert opened.read(experiments.get, "0").name == "Default"
    opened.close()


def test_the_revisions_are_those_of_the_folder() -> None:
    folder = Path(migrate.__file__).parent / "migrations" / "versions"
    assert sorted(file.name[:4] for file in folder.glob("0*.py")) == sorted(REVISIONS)


def test_the_stores_id_stays(store_uri: str) -> None:
    ids = set()
    for _ in range(2):
        opened = open_store(store_uri)
        ids.add(opened.id)
        opened.close()
    assert len(ids) == 1


def test_a_newer_database_is_refused_and_left_alone(store_uri: str) -> None:
    open_store(store_uri).close()
    engine = connect(store_uri)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreRefused, match="newer Logbuch") as refused:
        open_store(store_uri)
    assert "\n" not in refused.value.message
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one() == "9999"
    engine.dispose()


def test_mlflows_database_is_refused_and_left_alone(store_uri: str) -> None:
    engine = connect(store_uri)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("CREATE TABLE experiments (experiment_id INTEGER)"))
    with pytest.raises(StoreRefused, match="MLflow's"):
        open_store(store_uri)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StoreRefused, match="another program"):
        open_store(store_uri)
    engine.dispose()


def _open(uri: str) -> str:
    opened = open_store(uri)
    opened.write(experiments.create, f"by {multiprocessing.current_process().pid}")
    id_ = opened.id
    opened.close()
    return id_


@pytest.mark.slow
def test_sixteen_processes_open_a_fresh_database(store_uri: str) -> None:
    with multiprocessing.get_context("spawn").Pool(16) as pool:
        assert len(set(pool.map(_open, [store_uri] * 16, chunksize=1))) == 1
    opened = open_store(store_uri)
    from logbuch.store import search

    assert len(opened.read(search.experiments)[0]) >= 2
    opened.close()


@pytest.mark.parametrize("uri", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:", ""])
def test_an_unsupported_uri_is_refused_in_one_line(uri: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        open_store(uri)
    assert "\n" not in refused.value.message


def test_an_unreachable_postgres_is_refused_in_one_line() -> None:
    with pytest.raises(StoreRefused, match="cannot be opened") as refused:
        open_store("postgresql://user:secret@127.0.0.1:1/x")
    assert "\n" not in refused.value.message
    assert "secret" not in refused.value.message


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello, I am not a database, but a text of some length" * 100)
    with pytest.raises(StoreRefused, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/text.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreRefused, match="folder"):
        open_store(f"sqlite:///{tmp_path}/folder.db")
    with pytest.raises(StoreRefused, match="cannot be made"):
        open_store(f"sqlite:///{tmp_path}/text.db/below/x.db")


def test_sqlite_keeps_what_it_acknowledged(sqlite_uri: str) -> None:
    opened = open_store(sqlite_uri)
    with opened._seam.writer.connect() as connection:
        for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("auto_vacuum", 2)):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == expected
    opened.close()
    assert sqlite3.connect(sqlite_uri.removeprefix("sqlite:///")).execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )


def test_a_store_within_a_project_is_hidden_from_git(tmp_path: Path) -> None:
    for name in (".logbuch", "elsewhere"):
        open_store(f"sqlite:///{tmp_path}/{name}/logbuch.db").close()
    assert (tmp_path / ".logbuch" / ".gitignore").read_text() == "*\n"
    assert not (tmp_path / "elsewhere" / ".gitignore").exists()


def test_an_sqlite_file_is_private(sqlite_uri: str) -> None:
    open_store(sqlite_uri).close()
    assert Path(sqlite_uri.removeprefix("sqlite:///")).stat().st_mode & 0o077 == 0
