"""``logbuch artifacts`` and ``logbuch gc`` as a person types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import Server


def run(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "logbuch", *arguments], capture_output=True, text=True, timeout=60, env=os.environ
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def server(make_server: object, monkeypatch: pytest.MonkeyPatch) -> Server:
    started: Server = make_server()  # type: ignore[operator]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", started.url)
    return started


def test_upload_list_and_download(server: Server, tmp_path: Path) -> None:
    run_id = server.new_run()
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep/b.txt").write_text("bb")
    assert run("artifacts", "upload", "-r", run_id, str(folder), "-a", "in") == f"2 files uploaded to run {run_id}\n"
    told = run("artifacts", "upload", "-r", run_id, str(folder), "--compress", "tar.zst", "--json")
    assert json.loads(told) == {"run_id": run_id, "files": ["data.tar.zst"]}
    found = json.loads(run("artifacts", "list", "-r", run_id, "-R", "--json"))
    assert [info["path"] for info in found] == ["data.tar.zst", "in", "in/a.txt", "in/deep", "in/deep/b.txt"]
    assert "             1 in/a.txt" in run("artifacts", "list", "-r", run_id, "-a", "in")
    place = run("artifacts", "download", "-r", run_id, "-a", "in", "-d", str(tmp_path / "back")).strip()
    assert (Path(place) / "deep/b.txt").read_text() == "bb"
    uri = f"runs:/{run_id}/data.tar.zst"
    told = run("artifacts", "download", "-u", uri, "-d", str(tmp_path / "packed"), "--unpack", "--json")
    assert (Path(json.loads(told)["path"]) / "deep/b.txt").read_text() == "bb"
    assert sorted(path.name for path in (tmp_path / "packed").iterdir()) == ["data"]
    assert "not found" in run("artifacts", "list", "-r", "f" * 32, code=1)
    assert "is for folders" in run(
        "artifacts", "upload", "-r", run_id, f"{folder}/a.txt", "--compress", "tar.gz", code=1
    )


def test_gc_beside_a_running_server(server: Server, tmp_path: Path) -> None:
    kept, gone = server.new_run(), server.new_run()
    (tmp_path / "a.txt").write_text("a")
    for run_id in (kept, gone):
        run("artifacts", "upload", "-r", run_id, str(tmp_path / "a.txt"))
    server.post("runs/delete", {"run_id": gone})
    where = ("--backend-store-uri", server.store_uri, "--default-artifact-root", str(server.folder / "artifacts"))
    told = run("gc", *where, "--dry-run")
    assert told.splitlines() == [
        f"run {gone} (deleted)",
        "Would remove 1 runs, 1 files in 1 folders (1 bytes), 0 unfinished uploads.",
    ]
    assert server.get("runs/get", run_id=gone).status_code == 200
    done = json.loads(run("gc", *where, "--json"))
    assert (done["runs"], done["files"], done["failed"]) == ({gone: "deleted"}, 1, [])
    assert server.get("runs/get", run_id=gone).status_code == 404
    assert not (server.folder / "artifacts/0" / gone).exists()
    assert (server.folder / "artifacts/0" / kept / "artifacts/a.txt").read_text() == "a"
    assert "--older-than" in run("gc", *where, "--status", "FAILED", code=2)
    assert "Invalid period" in run("gc", *where, "--older-than", "soon", code=1)
    told = run("gc", *where, "--status", "FAILED", "--older-than", "30d", "--dry-run")
    assert told.startswith("Would remove 0 runs")
    assert run("gc", *where, "--run-ids", f"{kept},{'f' * 32}", code=1).endswith(f"Run with id={'f' * 32} not found\n")
    assert "99" in run("gc", *where, "--experiment-ids", "0,99", code=1)


def test_gc_warns_where_it_looks_into_a_root_that_is_empty(server: Server, tmp_path: Path) -> None:
    gone = server.new_run()
    server.post("runs/delete", {"run_id": gone})
    where = ("--backend-store-uri", server.store_uri, "--default-artifact-root", str(tmp_path / "other"))
    command = [sys.executable, "-m", "logbuch", "gc", *where, "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"run {gone} (deleted)")
    assert done.stderr.splitlines() == [
        f"Warning: {tmp_path / 'other'} holds no files. Is it the server's --default-artifact-root?"
    ]


def test_gc_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    said = run("gc", "--backend-store-uri", f"sqlite:///{tmp_path}/slip.db", code=1)
    assert said.splitlines() == [f"logbuch: There is no database {tmp_path}/slip.db: name it with --backend-store-uri."]
    assert list(tmp_path.iterdir()) == []
