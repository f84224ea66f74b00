"""``logbuch backup``, ``restore``, ``db check`` and ``doctor``."""

from __future__ import annotations

import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput, StoreRefused
from logbuch.model import Metric
from logbuch.store import batch, open_store, runs
from logbuch.store.metrics import series
from logbuch.store.runs import NewRun


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def points(run_id: str, uri: str) -> list[int]:
    store = open_store(uri, seal=False)
    try:
        found: list[int] = store.read(series.between, run_id, "loss").steps.tolist()
        return found
    finally:
        store.close()


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_a_backup_under_load_is_a_prefix_of_what_was_acknowledged(
    store_uri: str, target: str, tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    store = open_store(store_uri)
    run_id = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    acknowledged: list[int] = []
    stop = threading.Event()

    def log() -> None:
        while not stop.is_set():
            step = len(acknowledged)
            store.write(batch.log_batch, run_id, [Metric(key="loss", value=0.5, timestamp=step, step=step)])
            acknowledged.append(step)

    writer = threading.Thread(target=log)
    writer.start()
    while len(acknowledged) < 50:
        time.sleep(0.01)
    before = len(acknowledged)
    file = tmp_path / "all.backup"
    arguments = ("--backend-store-uri", store_uri, "--default-artifact-root", str(tmp_path / "artifacts"))
    done = call("backup", str(file), *arguments)
    after = len(acknowledged)
    stop.set()
    writer.join()
    store.close()
    assert done.exit_code == 0, done.output
    there = f"sqlite:///{tmp_path}/new/logbuch.db" if target == "sqlite" else new_postgres()
    done = call("restore", str(file), "--backend-store-uri", there, "--default-artifact-root", str(tmp_path / "new"))
    assert done.exit_code == 0, (done.output, done.exception)
    found = points(run_id, there)
    assert found == list(range(len(found)))
    assert before <= len(found) <= after + 1
    fresh = open_store(there)
    # Numbers go on behind the old ones.
    assert fresh.write(runs.create, NewRun(experiment_id="0")).info.run_id != run_id
    fresh.close()
    assert call("db", "check", "--backend-store-uri", there).exit_code == 0


def filled(folder: Path) -> tuple[str, str]:
    uri = f"sqlite:///{folder}/logbuch.db"
    store = open_store(uri)
    run_id = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    many = [Metric(key="loss", value=step / 7, timestamp=step, step=step) for step in range(900)]
    store.write(batch.log_batch, run_id, many)
    store.close()
    file = folder / "artifacts" / "0" / run_id / "artifacts" / "deep" / "model.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(range(256)) * 999)
    return uri, run_id


def test_artifacts_come_back_whole(tmp_path: Path) -> None:
    folder, new = tmp_path / "old", tmp_path / "new"
    folder.mkdir()
    uri, run_id = filled(folder)
    file = tmp_path / "a.backup"
    assert call("backup", str(file), "--backend-store-uri", uri).exit_code == 0
    done = call("restore", str(file), "--backend-store-uri", f"sqlite:///{new}/logbuch.db")
    assert done.exit_code == 0, done.output
    path = Path("artifacts/0") / run_id / "artifacts/deep/model.bin"
    assert (new / path).read_bytes() == (folder / path).read_bytes()
    assert points(run_id, f"sqlite:///{new}/logbuch.db") == list(range(900))
    assert "is there" in call("backup", str(file), "--backend-store-uri", uri).output
    again = call("restore", str(file), "--backend-store-uri", f"sqlite:///{new}/logbuch.db")
    assert isinstance(again.exception, StoreRefused)
    assert "holds runs already" in again.exception.message


def test_a_cut_or_changed_backup_is_refused(tmp_path: Path) -> None:
    uri, _ = filled(tmp_path)
    file = tmp_path / "a.backup"
    assert call("backup", str(file), "--backend-store-uri", uri).exit_code == 0
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[40_000] ^= 1
    for place, content in enumerate((whole[:30_000], bytes(changed), b"no backup", b"")):
        file.write_bytes(content)
        there = f"sqlite:///{tmp_path}/new{place}/logbuch.db"
        error = call("restore", str(file), "--backend-store-uri", there).exception
        assert isinstance(error, InvalidInput), (place, error)


def test_names_in_a_backup_lead_nowhere_else(tmp_path: Path) -> None:
    uri, _ = filled(tmp_path)
    file = tmp_path / "a.backup"
    assert call("backup", str(file), "--backend-store-uri", uri).exit_code == 0
    evil = tmp_path / "evil.txt"
    evil.write_text("x")
    with tarfile.open(file, "a") as archive:
        archive.add(evil, "artifacts/default/../../out.txt")
    done = call("restore", str(file), "--backend-store-uri", f"sqlite:///{tmp_path}/new/logbuch.db")
    assert done.exit_code == 1
    assert done.output.count("missing: file") == 1
    assert not list(tmp_path.rglob("out.txt"))


def test_check_names_damaged_points_and_orphans(tmp_path: Path) -> None:
    uri, run_id = filled(tmp_path)
    assert call("db", "check", "--backend-store-uri", uri).exit_code == 0
    with sqlite3.connect(tmp_path / "logbuch.db") as connection:
        connection.execute("UPDATE arrivals SET data = substr(data, 1, 100)")
        connection.execute("UPDATE blocks SET data = substr(data, 1, 50)")
        connection.execute("INSERT INTO tags VALUES (999, 1, 'x')")
    connection.close()
    done = call("db", "check", "--backend-store-uri", uri)
    assert done.exit_code == 1
    assert run_id in done.output
    assert "1 rows of tags refer to runs that are not there" in done.output
    assert "2 faults" in done.output or "3 faults" in done.output


def test_the_doctor_tells_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uri, _ = filled(tmp_path)
    done = call("doctor", "--backend-store-uri", uri)
    assert done.exit_code == 0, done.output
    assert "1 runs, 900 points" in done.output
    (tmp_path / "other.db").write_bytes(b"no database" * 100)
    done = call(
        "doctor", "--backend-store-uri", f"sqlite:///{tmp_path}/other.db", "--tracking-uri", "http://127.0.0.1:9"
    )
    assert done.exit_code == 1
    assert [line.split()[1] for line in done.output.splitlines() if line.startswith("WRONG")] == ["database", "server"]
