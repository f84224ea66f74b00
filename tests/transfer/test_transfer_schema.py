"""MLflow databases of schemas that no MLflow has: what can be read is imported, the rest is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput
from logbuch.store import open_store, runs
from support.mlflow_tables import TABLES, made

ROWS = """
INSERT INTO experiments VALUES (7, 'moved', '', 'active', 1, 2);
INSERT INTO runs VALUES ('aa', 'one', 'me', 'FINISHED', 5, 9, 'active', 'nowhere', 7, NULL);
INSERT INTO params VALUES ('lr', '0.1', 'aa');
"""
NEWER = """
CREATE TABLE alembic_version (version_num TEXT);
INSERT INTO alembic_version VALUES ('ffffffffffff');
CREATE TABLE registered_models (name TEXT, born BIGINT);
INSERT INTO registered_models VALUES ('digits', 1);
CREATE TABLE inputs (input_uuid TEXT, of_run TEXT);
INSERT INTO inputs VALUES ('x', 'aa');
"""


def bring(source: str, folder: Path) -> Result:
    return CliRunner().invoke(
        cli, ["import", "mlflow", source, "--backend-store-uri", f"sqlite:///{folder}/logbuch.db"]
    )


def test_tables_of_an_unknown_schema_are_named_and_the_rest_is_imported(tmp_path: Path) -> None:
    done = bring(made(tmp_path / "mlflow.db", TABLES + ROWS + NEWER), tmp_path)
    assert done.exit_code == 1, (done.output, done.exception)
    missing = [line for line in done.output.splitlines() if line.startswith("missing:")]
    assert [line.split(":")[1] for line in missing] == [" table inputs", " table registered_models"]
    assert "lacks creation_time, description, last_updated_time" in missing[1]
    store = open_store(f"sqlite:///{tmp_path}/logbuch.db", seal=False)
    assert dict(store.read(runs.get, "aa").data.params) == {"lr": "0.1"}
    store.close()


@pytest.mark.parametrize(("column", "table"), [("experiment_id INTEGER, deleted_time", "runs"), ("step", "metrics")])
def test_a_database_without_what_is_needed_is_refused_in_one_line(column: str, table: str, tmp_path: Path) -> None:
    tables = TABLES.replace(f" {column} BIGINT", f" other{column} BIGINT")
    error = bring(made(tmp_path / "mlflow.db", tables), tmp_path).exception
    assert isinstance(error, InvalidInput), error
    assert f"table {table} lacks {column.split()[0]}" in error.message
    assert not (tmp_path / "logbuch.db").exists()
