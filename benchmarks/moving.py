"""Imports an MLflow database, and says how many points a second: python -m benchmarks.moving [RUNS [POINTS]]."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from logbuch.files.roots import Files
from logbuch.store import open_store
from logbuch.transfer.moving import Move, closing_both
from logbuch.transfer.report import Report
from logbuch.transfer.sources.mlflow_database import MlflowDatabase
from logbuch.transfer.targets.store import StoreTarget

KEYS = 5
START = 1_700_000_000_000
TABLES = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT,
  end_time BIGINT, lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
  run_uuid VARCHAR(32) NOT NULL, step BIGINT NOT NULL, is_nan BOOLEAN NOT NULL,
  PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, key, step);
INSERT INTO experiments VALUES (1, 'moved', '', 'active');
"""


def fill(file: Path, runs: int, points: int) -> None:
    """A database with MLflow's tables: noisy falling curves, logged step by step."""
    noise = np.random.default_rng(8)
    with sqlite3.connect(file) as connection:
        connection.executescript(TABLES)
        steps = points // KEYS
        for number in range(runs):
            run_id = f"{number:032x}"
            head = (run_id, f"run {number}", "me", "FINISHED", START, START + steps, "active", "nowhere", 1)
            connection.execute("INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?)", head)
            connection.execute("INSERT INTO params VALUES ('lr', '0.1', ?)", (run_id,))
            values = 1 / (1 + np.arange(points) // KEYS) + noise.normal(0, 0.01, points)
            rows = (
                (f"metric{place % KEYS}", value, START + place // KEYS, run_id, place // KEYS, 0)
                for place, value in enumerate(values.tolist())
            )
            connection.executemany("INSERT INTO metrics VALUES (?,?,?,?,?,?)", rows)
    connection.close()


def main(runs: int = 1000, points: int = 1000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, report = Path(folder) / "mlflow.db", Report()
        fill(file, runs, points)
        wall, cpu = time.monotonic(), time.process_time()
        source = MlflowDatabase(f"sqlite:///{file}", report)
        target = StoreTarget(open_store(f"sqlite:///{folder}/logbuch.db", seal=False), Files.at(folder), report)
        with closing_both(source, target):
            Move(source, target, report, lambda *_: None).run()
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        assert report.complete, report.missing[:3]
        moved = report.target["points"]
        sizes = [place.stat().st_size / 1e6 for place in (file, Path(folder) / "logbuch.db")]
        print(f"{moved:,} points of {runs:,} runs in {wall:.2f} s: {moved / wall:,.0f} a second")
        print(f"CPU time {cpu:.2f} s: {moved / cpu:,.0f} points a CPU second")
        print(f"database before {sizes[0]:.1f} MB, after {sizes[1]:.1f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
