"""``logbuch backup``, ``restore``, ``db check`` and ``doctor``."""

from __future__ import annotations

import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from benchmarks.moving import fill
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput, StoreRefused
from logbuch.files.roots import OWNER_KEY, Files
from logbuch.model import Metric
from logbuch.store import Store, batch, open_store, runs
from logbuch.store.metrics import series
from logbuch.store.runs import NewRun
from transfer.conftest import LONG, PATIENCE

WRITERS, BACKUPS, HELD = (8, 5, 1_000_000) if LONG else (3, 1, 0)
"""How many log at once while so many backups are made, one after the other, and how many points are there before."""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def points(run_id: str, uri: str) -> list[int]:
    store = open_store(uri, seal=False)
    try:
        found: list[int] = store.read(series.between, run_id, "loss").steps.tolist()
        return found
    finally:
        store.close()


class Writer(threading.Thread):
    """Logs step after step to a run of its own. ``acknowledged`` is how many steps have been."""

    def __init__(self, store: Store, stop: threading.Event) -> None:
        super().__init__()
        self.run_id = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
        self.acknowledged = 0
        self._store, self._stop_it = store, stop

    def run(self) -> None:
        while not self._stop_it.is_set():
            step = self.acknowledged
            self._store.write(batch.log_batch, self.run_id, [Metric(key="loss", value=0.5, timestamp=step, step=step)])
            self.acknowledged += 1


@contextmanager
def under_load(store: Store) -> Iterator[list[Writer]]:
    stop = threading.Event()
    writers = [Writer(store, stop) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        while min(writer.acknowledged for writer in writers) < 20:
            assert all(writer.is_alive() for writer in writers)
            time.sleep(0.01)
        yield writers
    finally:
        stop.set()
        for writer in writers:
            writer.join()


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
@PATIENCE
def test_a_backup_under_load_is_a_prefix_of_what_was_acknowledged(
    store_uri: str, target: str, tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    if HELD:
        fill(tmp_path / "mlflow.db", 1000, HELD // 1000)
        assert call("import", "mlflow", str(tmp_path / "mlflow.db"), "--backend-store-uri", store_uri).exit_code == 0
    store = open_store(store_uri)
    file = tmp_path / "all.backup"
    arguments = ("--backend-store-uri", store_uri, "--default-artifact-root", str(tmp_path / "artifacts"), "--force")
    logged = 0
    for number in range(BACKUPS):
        with under_load(store) as writers:
            before = [writer.acknowledged for writer in writers]
            done = call("backup", str(file), *arguments)
            after = [writer.acknowledged for writer in writers]
        assert done.exit_code == 0, done.output
        logged += sum(after) - sum(before)
        there = f"sqlite:///{tmp_path}/new{number}/logbuch.db" if target == "sqlite" else new_postgres()
        done = call(
            "restore", str(file), "--backend-store-uri", there, "--default-artifact-root", str(tmp_path / "new")
        )
        assert done.exit_code == 0, (done.output, done.exception)
        for writer, least, most in zip(writers, before, after, strict=True):
            found = points(writer.run_id, there)
            assert found == list(range(len(found)))
            assert least <= len(found) <= most + 1
    store.close()
    print(f"{BACKUPS} backups while {logged:,} points were acknowledged, beside {HELD:,}")
    fresh = open_store(there)
    # Numbers go on behind the old ones.
    assert fresh.write(runs.create, NewRun(experiment_id="0")).info.run_id not in {one.run_id for one in writers}
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
    before = {path: path.read_bytes() for path in new.rglob("*") if path.is_file()}
    again = call("restore", str(file), "--backend-store-uri", f"sqlite:///{new}/logbuch.db")
    assert isinstance(again.exception, StoreRefused)
    assert "holds runs already" in again.exception.message
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_a_backup_of_a_bucket_comes_back_whole(tmp_path: Path, bucket: str) -> None:
    """What says whose a bucket is, which a server leaves in it, is no artifact."""
    (tmp_path / "old").mkdir()
    uri, run_id = filled(tmp_path / "old")
    root, key = f"s3://{bucket}/tracking", f"0/{run_id}/artifacts/deep/model.bin"
    files = Files.at(root)
    content = (tmp_path / "old" / "artifacts" / key).read_bytes()
    with files.receive(key) as receiving:
        receiving.write((content,))
        receiving.finish()
    files.claim("this store")
    assert [found.key for found in files.walk("")] == [key]
    backup, there = str(tmp_path / "a.backup"), f"sqlite:///{tmp_path}/new/logbuch.db"
    done = call("backup", backup, "--backend-store-uri", uri, "--default-artifact-root", root)
    assert done.exit_code == 0, done.output
    with tarfile.open(backup, "a") as archive:  # as older versions wrote it
        archive.addfile(tarfile.TarInfo(f"artifacts/default/{OWNER_KEY}"))
    done = call("restore", backup, "--backend-store-uri", there)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "new" / "artifacts" / key).read_bytes() == content
    assert files.claim("this store") == {""}


def test_a_backup_of_postgres_wants_to_know_where_the_artifacts_lie(
    new_postgres: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = new_postgres()
    done = call("backup", "a.backup", "--backend-store-uri", uri)
    assert done.exit_code == 2
    assert "--default-artifact-root" in done.output
    assert "--no-artifacts" in done.output
    assert list(tmp_path.iterdir()) == []
    assert call("backup", "a.backup", "--backend-store-uri", uri, "--no-artifacts").exit_code == 0


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
        assert "\n" not in error.message
        assert (tmp_path / f"new{place}").exists() == (place < 2)  # what is no backup makes no database


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
