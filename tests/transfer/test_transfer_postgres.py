"""MLflow's tables in PostgreSQL as a source."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import psycopg
from click.testing import CliRunner

from logbuch.cli.main import cli
from logbuch.store import open_store, runs
from logbuch.store.metrics import series

TABLES = """
CREATE TABLE experiments (experiment_id SERIAL PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT,
  end_time BIGINT, lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE metrics (key TEXT, value DOUBLE PRECISION, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
INSERT INTO experiments VALUES (7, 'moved', '', 'active');
INSERT INTO runs VALUES ('aa', 'one', 'me', 'FINISHED', 5, 9, 'active', 'nowhere', 7);
INSERT INTO params VALUES ('lr', '0.1', 'aa');
INSERT INTO metrics SELECT 'loss', 1 / (1 + step)::float8, step, 'aa', step, false
  FROM generate_series(0, 59999) AS step;
INSERT INTO metrics VALUES ('odd', 0, 1, 'aa', 1, true), ('odd', -1.7976931348623157e308, 2, 'aa', 2, false);
"""


def test_a_postgres_database_moves_in(new_postgres: Callable[[], str], tmp_path: Path) -> None:
    source, uri = new_postgres(), f"sqlite:///{tmp_path}/logbuch.db"
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(TABLES)
    done = CliRunner().invoke(cli, ["import", "mlflow", source, "--backend-store-uri", uri])
    assert done.exit_code == 0, (done.output, done.exception)
    store = open_store(uri, seal=False)
    try:
        run = store.read(runs.get, "aa")
        assert (run.info.experiment_id, run.info.end_time, dict(run.data.params)) == ("7", 9, {"lr": "0.1"})
        loss = store.read(series.between, "aa", "loss")
        assert loss.values.tolist() == [1.0 / (1 + step) for step in range(60_000)]
        odd = store.read(series.between, "aa", "odd").values.tolist()
        assert math.isnan(odd[0])
        assert odd[1] == -math.inf
    finally:
        store.close()
