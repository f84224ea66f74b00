"""Disks that are full or read-only, and homes that cannot be written, when a training begins: it trains on, what can be
kept is kept, and where is said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.servers import Server

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not ROOT, reason="a file system can be mounted by root alone")]

BODY = """
import tempfile
tempfile.tempdir = os.environ["TEMPORARY"]
with logbuch.start_run(run_name="begun") as run:
    print(run.info.run_id, flush=True)
    logbuch.log_param("lr", 0.1)
    for step in range(500):
        logbuch.log_metric("m", step + 0.5, step=step)
    logbuch.log_text("kept", "note.txt")
"""
Sync = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def shut(disk: Path, how: str) -> None:
    if how == "full":
        with (disk / "ballast").open("wb") as file:
            file.truncate(0)
            os.posix_fallocate(file.fileno(), 0, os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize)
    else:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


def free(disk: Path, how: str) -> None:
    if how == "full":
        (disk / "ballast").unlink()
    else:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


def trained(program: Any, place: str, temporary: Path, **more: str) -> tuple[str, str]:
    """A training that succeeds: its run, and what it said."""
    process = program(BODY, place, TEMPORARY=str(temporary), LOGBUCH_FINISH_TIMEOUT="1", **more)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip(), err


def check(server: Server, run_id: str) -> None:
    run = server.get("runs/get", run_id=run_id).json()["run"]
    assert (run["info"]["status"], run["info"]["run_name"]) == ("FINISHED", "begun")
    assert run["data"]["params"] == [{"key": "lr", "value": "0.1"}]
    history = server.get("metrics/get-history", run_id=run_id, metric_key="m", max_results=25_000).json()["metrics"]
    assert sorted(int(point["step"]) for point in history) == list(range(500))
    files = {file["path"] for file in server.get("artifacts/list", run_id=run_id).json()["files"]}
    assert "note.txt" in files


@pytest.mark.parametrize(("how", "made"), [("full", False), ("full", True), ("read-only", True)])
def test_a_store_whose_disk_takes_nothing_at_the_start(
    program: Any, sync: Sync, make_server: Callable[..., Server], disk: Path, tmp_path: Path, how: str, made: bool
) -> None:
    store = disk / "store"
    if made:
        store.mkdir()
    shut(disk, how)
    run_id, err = trained(program, f"sqlite:///{store}/logbuch.db", tmp_path)
    kept = tmp_path / "journals"
    assert err.count("so what is logged is kept in") == 1
    assert f"nothing can be written to {store}/journals" in err
    assert f"so what is logged is kept in {kept}" in err
    assert "logbuch sync" in err.splitlines()[-1]
    free(disk, how)
    report = sync()
    assert report.returncode == 0, report.stdout + report.stderr
    artifacts = ("--default-artifact-root", str(store / "artifacts"))
    check(make_server(f"sqlite:///{store}/logbuch.db", *artifacts), run_id)
    assert [path.name for path in kept.iterdir() if path.name not in ("sent", "ranks")] == []


def test_the_next_training_sends_what_was_kept_elsewhere(
    program: Any, make_server: Callable[..., Server], disk: Path, tmp_path: Path
) -> None:
    store = disk / "store"
    shut(disk, "full")
    run_id, _ = trained(program, f"sqlite:///{store}/logbuch.db", tmp_path)
    free(disk, "full")
    trained(program, f"sqlite:///{store}/logbuch.db", tmp_path)
    check(make_server(f"sqlite:///{store}/logbuch.db", "--default-artifact-root", str(store / "artifacts")), run_id)


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_folder_of_journals_whose_disk_takes_nothing(
    program: Any, sync: Sync, disk: Path, tmp_path: Path, how: str, environment: dict[str, str]
) -> None:
    """A home that cannot be written, say, and no server: the folder of temporary files remains."""
    shut(disk, how)
    port = free_port()
    run_id, err = trained(program, f"http://127.0.0.1:{port}", tmp_path, LOGBUCH_JOURNAL_FOLDER=str(disk / "journals"))
    kept = tmp_path / f"logbuch-{os.getuid()}" / "journals"
    assert err.count(f"so what is logged is kept in {kept}") == 1
    home = tmp_path / "server"
    home.mkdir()
    server = Server(home, f"sqlite:///{home}/logbuch.db", port=port).start()
    try:
        environment["TMPDIR"] = str(tmp_path)
        report = sync()
        assert report.returncode == 0, report.stdout + report.stderr
        check(server, run_id)
    finally:
        server.stop()


@pytest.mark.parametrize("place", ["sqlite:///taken/logbuch.db", "sqlite:///text.db"])
def test_a_place_that_was_not_well_chosen_is_told_at_once(program: Any, tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").write_text("a file, where a folder is wanted")
    (tmp_path / "text.db").write_text("a text, where a database is wanted " * 100)
    process = program(BODY, place, TEMPORARY=str(tmp_path))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "StoreRefused" in err.splitlines()[-1]
