"""The line that ``logbuch ui`` and ``logbuch server`` say where an MLflow installation lies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from logbuch.store import open_store
from logbuch.transfer import beside
from support.servers import Server
from transfer.conftest import Installation


def test_a_server_says_how_what_lies_there_moves_in(
    installations: Callable[[int, str], Installation], tmp_path: Path
) -> None:
    shutil.copy(installations(3, "sqlite").home / "mlflow.db", tmp_path / "my runs.db")
    shutil.copytree(installations(2, "mlruns").home / "mlruns", tmp_path / "mlruns")
    server = Server(tmp_path, f"sqlite:///{tmp_path}/logbuch.db").start()
    server.stop()
    lines = [line for line in server.log().splitlines() if "logbuch import" in line]
    assert len(lines) == 1
    assert "logbuch import mlflow 'my runs.db' and logbuch import mlflow mlruns" in lines[0]


def test_nothing_is_said_of_anything_else(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/logbuch.db").close()
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "notes.txt").write_text("mine")
    (tmp_path / "other.db").write_text("run_uuid")
    assert beside.hint(tmp_path) is None
