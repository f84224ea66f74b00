"""MLflow's database in every schema from 1.30 to that of the MLflow 3 at hand, made by MLflow's own migrations."""

from __future__ import annotations

import math
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from logbuch.transfer.report import Report
from logbuch.transfer.sources.mlflow_database import MlflowDatabase
from transfer.conftest import CLIENTS, held, run

MADE_BY_1_30 = Path(__file__).parent / "fixtures" / "mlflow" / "1.30.1.sql"
"""What MLflow 1.30.1 made through its own client, as SQLite tells it (``.dump``)."""


def told(file: Path) -> tuple[Any, ...]:
    """All that a database tells as a source."""
    report = Report()
    source = MlflowDatabase(str(file), report)
    try:
        experiments = list(source.experiments())
        runs = [found for experiment in experiments for found in source.runs(experiment)]
        points = [
            (found.run.info.run_id, part.names, *map(repr, (part.steps, part.timestamps, part.values)))
            for found in runs
            for part in source.points(found)
        ]
        models = list(source.registered_models())
    finally:
        source.close()
    assert report.missing == []
    return experiments, runs, points, models


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The database in each schema, the oldest first."""
    home = tmp_path_factory.mktemp("schemas")
    file, folder = home / "mlflow.db", home / "each"
    folder.mkdir()
    with sqlite3.connect(file) as connection:
        connection.executescript(MADE_BY_1_30.read_text())
    connection.close()
    run(3, home, str(CLIENTS / "revisions.py"), str(file), str(folder))
    return sorted(folder.iterdir())


@pytest.mark.slow
def test_every_schema_tells_the_same(schemas: list[Path]) -> None:
    assert len(schemas) > 40
    first = told(schemas[0])
    for file in schemas[1:]:
        assert told(file) == first, file.name


@pytest.mark.slow
@pytest.mark.parametrize("which", [0, -1])
def test_what_mlflow_1_30_made_moves_in(which: int, schemas: list[Path], tmp_path: Path) -> None:
    shutil.copy(schemas[which], tmp_path / "mlflow.db")
    arguments = ["import", "mlflow", str(tmp_path / "mlflow.db"), "--backend-store-uri"]
    done = CliRunner().invoke(cli, [*arguments, f"sqlite:///{tmp_path}/logbuch.db"])
    assert done.exit_code == 0, done.output
    assert "digits" in done.output or "versions" in done.output
    runs = {info.run_name: (info, params, tags) for info, params, tags, *_ in held(tmp_path).values()}
    info, params, tags = runs["best"]
    assert (info.user_id, info.status, info.start_time, info.end_time) == (
        "ada",
        "FINISHED",
        1_650_000_000_000,
        1_650_000_060_000,
    )
    assert {one.key: one.value for one in params} == {"lr": "0.1", "odd": "ß 漢 🙂"}
    assert {one.key: one.value for one in tags}["mlflow.note.content"] == "the *best*"
    points = next(points for found, _, _, points, _ in held(tmp_path).values() if found.run_name == "best")
    values = memoryview(points["acc"][2]).cast("d").tolist()
    assert values[0] == 0.1
    assert math.isnan(values[1])
    assert values[2:] == [math.inf, -math.inf]
    assert memoryview(points["loss"][2]).cast("d").tolist() == [1.0, 1 / 2, 1 / 3, 1 / 4]
    assert {name: str(one[0].lifecycle_stage) for name, one in runs.items()}["left"] == "deleted"
