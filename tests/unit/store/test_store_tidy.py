"""What the store does when nobody asks: it seals what others left, and SQLite gives free space back."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from logbuch.model import Metric
from logbuch.store import batch, open_store, runs, schema
from logbuch.store.metrics import sealing
from logbuch.store.runs import NewRun
from logbuch.store.sqlite import FREE_PAGES


def free_pages(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def test_what_sealing_frees_goes_back_to_the_file_system_unless_there_is_work(tmp_path: Path) -> None:
    file = tmp_path / "logbuch.db"
    store = open_store(f"sqlite:///{file}", seal=False)
    run_id = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    for number in range(200):
        steps = range(number * 1000, number * 1000 + 1000)
        points = [Metric(key="m", value=step / 7, timestamp=step * step, step=step) for step in steps]
        store.write(batch.log_batch, run_id, points)
    sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)
    freed, size = free_pages(file), file.stat().st_size
    assert freed > 3 * FREE_PAGES
    store._seam.tidy(lambda: True)
    assert free_pages(file) == freed
    store._seam.tidy(lambda: False)
    assert free_pages(file) < FREE_PAGES
    assert file.stat().st_size < size - freed * 4096 / 2
    assert (tmp_path / "logbuch.db-wal").stat().st_size == 0
    store.close()


def test_the_log_of_another_process_is_sealed_without_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LOOK_SECONDS", 0.2)
    server = open_store(f"sqlite:///{tmp_path}/logbuch.db")
    training = open_store(f"sqlite:///{tmp_path}/logbuch.db", seal=False)
    run_id = training.write(runs.create, NewRun(experiment_id="0")).info.run_id
    points = [Metric(key="m", value=1.0, timestamp=step, step=step) for step in range(sealing.REST_POINTS)]
    training.write(batch.log_batch, run_id, points)
    deadline = time.monotonic() + 120
    while server.read(lambda tx: tx.execute(select(func.count()).select_from(schema.blocks)).scalar()) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    training.close()
    server.close()
