"""Installations of the real MLflow on PostgreSQL and on MariaDB as sources."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from support.mariadb import mariadb
from support.servers import Server
from transfer.conftest import CLIENTS, PATIENCE, SIZE, look, restored, run

pytestmark = PATIENCE
DRIVERS = {"mysql": ("pymysql",), "postgres": ("psycopg", "psycopg_binary", "typing_extensions")}


@pytest.fixture(params=["mysql", "postgres"])
def source(request: pytest.FixtureRequest, new_postgres: Callable[[], str], tmp_path: Path) -> Iterator[str]:
    """The URI of an empty database, with its driver, as SQLAlchemy wants it."""
    if request.param == "postgres":
        yield new_postgres().replace("postgresql://", "postgresql+psycopg://")
    else:
        with mariadb(tmp_path) as uri:
            yield uri


@pytest.fixture
def drivers(tmp_path: Path) -> dict[str, str]:
    """What MLflow's environment needs besides, as it lies in ours."""
    folder = tmp_path / "drivers"
    folder.mkdir()
    for name in (name for names in DRIVERS.values() for name in names):
        file = Path(str(importlib.import_module(name).__file__))
        place = file.parent if file.name == "__init__.py" else file
        (folder / place.name).symlink_to(place)
        for beside in (*place.parent.glob(f"{name}.libs"), *place.parent.glob(f"{name}-*.dist-info")):
            (folder / beside.name).symlink_to(beside)
    return {"PYTHONPATH": str(folder)}


@pytest.mark.slow
def test_what_mlflow_keeps_in_a_database_server_moves_in(source: str, drivers: dict[str, str], tmp_path: Path) -> None:
    run(3, tmp_path, str(CLIENTS / "install.py"), source, str(tmp_path / "artifacts"), *SIZE, **drivers)
    wanted = restored(look(3, source, tmp_path, **drivers))
    uri, plain = f"sqlite:///{tmp_path}/store/logbuch.db", source.replace("+pymysql", "").replace("+psycopg", "")
    for _ in range(2):
        done = CliRunner().invoke(cli, ["import", "mlflow", plain, "--backend-store-uri", uri])
        assert done.exit_code == 0, (done.output, done.exception)
    assert restored(look(3, source, tmp_path, **drivers)) == wanted
    server = Server(tmp_path / "store", uri).start()
    try:
        found = restored(look(3, server.url, tmp_path))
    finally:
        server.stop()
    for noun in ("experiments", "models", "logged"):
        assert found[noun] == wanted[noun]
    assert found["runs"].keys() == wanted["runs"].keys()
    for run_id, mine in wanted["runs"].items():
        assert found["runs"][run_id] == mine
