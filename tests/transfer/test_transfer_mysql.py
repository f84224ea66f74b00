"""An installation of the real MLflow on MariaDB as a source."""

from __future__ import annotations

from pathlib import Path

import pymysql
import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from support.mariadb import mariadb
from support.servers import Server
from transfer.conftest import CLIENTS, look, restored, run


@pytest.mark.slow
def test_a_mysql_database_moves_in(tmp_path: Path) -> None:
    driver = tmp_path / "driver"
    driver.mkdir()
    (driver / "pymysql").symlink_to(Path(pymysql.__file__).parent)  # which MLflow's environment lacks
    more = {"PYTHONPATH": str(driver)}
    with mariadb(tmp_path) as source:
        run(3, tmp_path, str(CLIENTS / "install.py"), source, str(tmp_path / "artifacts"), **more)
        wanted = restored(look(3, source, tmp_path, **more))
        uri, place = f"sqlite:///{tmp_path}/store/logbuch.db", source.replace("mysql+pymysql", "mysql")
        for _ in range(2):
            done = CliRunner().invoke(cli, ["import", "mlflow", place, "--backend-store-uri", uri])
            assert done.exit_code == 0, (done.output, done.exception)
        assert restored(look(3, source, tmp_path, **more)) == wanted
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
