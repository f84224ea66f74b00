"""Deleted in MLflow, restored here: the runs of an experiment come back, those that were deleted before it do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from logbuch.model import LifecycleStage, ViewType
from logbuch.store import experiments, open_store, search
from support.mlflow_tables import TABLES, made
from support.servers import Server

START = 1_700_000_000_000


@pytest.fixture
def source(tmp_path: Path) -> str:
    """An experiment that was deleted at 100, its runs a moment later; one of them had been deleted at 50."""
    rows = f"""
    INSERT INTO experiments VALUES (7, 'old', '', 'deleted', {START}, {START + 100});
    INSERT INTO runs VALUES ('a', 'with it', 'me', 'FINISHED', {START}, {START + 9}, 'deleted', 'no', 7, {START + 101});
    INSERT INTO runs VALUES ('b', 'before', 'me', 'FINISHED', {START}, {START + 9}, 'deleted', 'no', 7, {START + 50});
    INSERT INTO runs VALUES ('c', 'untold', 'me', 'FINISHED', {START}, {START + 9}, 'deleted', 'no', 7, NULL);
    """
    return made(tmp_path / "mlflow.db", TABLES + rows)


def test_in_a_store(source: str, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/store/logbuch.db"
    for _ in range(2):
        done = CliRunner().invoke(cli, ["import", "mlflow", source, "--backend-store-uri", uri])
        assert done.exit_code == 0, done.output
    store = open_store(uri)
    store.write(experiments.restore, "7")
    runs = store.read(search.runs, ["7"], "", [], 10, "", ViewType.ALL)[0]
    store.close()
    stages = {run.info.run_id: run.info.lifecycle_stage for run in runs}
    assert stages == {"a": LifecycleStage.ACTIVE, "b": LifecycleStage.DELETED, "c": LifecycleStage.ACTIVE}


def test_over_a_server(source: str, make_server: Callable[..., Server]) -> None:
    server = make_server()
    for _ in range(2):
        done = CliRunner().invoke(cli, ["import", "mlflow", source, "--tracking-uri", server.url])
        assert done.exit_code == 0, done.output
    id_ = server.get("experiments/get-by-name", experiment_name="old").json()["experiment"]["experiment_id"]
    search_ = {"experiment_ids": [id_], "run_view_type": "ACTIVE_ONLY"}
    assert server.post("runs/search", search_).json().get("runs", []) == []
    assert server.post("experiments/restore", {"experiment_id": id_}).status_code == 200
    found = server.post("runs/search", search_).json()["runs"]
    assert sorted(run["info"]["run_id"] for run in found) == ["a", "c"]
