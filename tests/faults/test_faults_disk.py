"""Disks without room, limits to journals, long outages: what was dropped is counted, the rest is whole."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.servers import Server

pytestmark = pytest.mark.slow

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
LOOP = """
import resource
count = int(os.environ["COUNT"])
with logbuch.start_run() as run:
    print(run.info.run_id, flush=True)
    while not os.path.exists(os.environ.get("GO", __file__)):
        time.sleep(0.01)
    for step in range(count // 10):
        logbuch.log_metric("m", step + 0.5, step=step)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for step in range(count // 10, count):
        logbuch.log_metric("m", step + 0.5, step=step)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(logbuch.delivery().dropped, grown, flush=True)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    if not ROOT:
        pytest.skip("a file system can be mounted by root alone")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def steps(server: Server, run_id: str) -> list[int]:
    found: list[int] = []
    token = ""
    while True:
        query: dict[str, Any] = {"run_id": run_id, "metric_key": "m", "max_results": 25_000}
        answer = server.get("metrics/get-history", **query | ({"page_token": token} if token else {})).json()
        for point in answer.get("metrics", ()):
            assert float(point["value"]) == int(point["step"]) + 0.5
            found.append(int(point["step"]))
        token = answer.get("next_page_token") or ""
        if not token:
            return sorted(found)


def check(server: Server, run_id: str, count: int, dropped: int) -> None:
    """What is there is whole and once, and what is not was counted."""
    found = steps(server, run_id)
    assert len(set(found)) == len(found)
    assert len(found) == count - dropped
    run = server.get("runs/get", run_id=run_id).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    lost = [tag["value"] for tag in run["data"]["tags"] if tag["key"] == "logbuch.records_lost"]
    assert lost == ([str(dropped)] if dropped else [])


def offline(program: Any, sync: Any, folder: Path, count: int, **more: str) -> tuple[int, int]:
    """Trains without a server, then sends all to one; how much was dropped, and by how many kB the process grew."""
    port = free_port()
    process = program(LOOP, f"http://127.0.0.1:{port}", COUNT=str(count), LOGBUCH_FINISH_TIMEOUT="1", **more)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    run_id, dropped, grown = out.split()
    assert ("dropped" in err) == (dropped != "0")
    home = folder / "server"
    home.mkdir()
    server = Server(home, f"sqlite:///{home}/logbuch.db", port=port).start()
    try:
        report = sync()
        assert report.returncode == 0, report.stdout + report.stderr
        check(server, run_id, count, int(dropped))
    finally:
        server.stop()
    return int(dropped), int(grown)


def test_a_full_disk_under_the_journal(
    program: Any, sync: Any, small_disk: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """What finds no place on the disk is kept in memory until a server comes; if none does it is lost, and said."""
    environment["LOGBUCH_JOURNAL_FOLDER"] = str(small_disk / "journals")
    port, count = free_port(), 300_000
    process = program(LOOP, f"http://127.0.0.1:{port}", COUNT=str(count), LOGBUCH_FINISH_TIMEOUT="1")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    (lost,) = re.findall(r"(\d+) records only in memory are lost", err)
    server = Server(tmp_path, f"sqlite:///{tmp_path}/logbuch.db", port=port).start()
    try:
        assert sync().returncode == 0
        found = steps(server, out.split()[0])
        assert found == list(range(len(found)))
        assert 0 <= len(found) - (count - int(lost)) <= 20  # those that are lost include the end of the run
        info = server.get("runs/get", run_id=out.split()[0]).json()["run"]["info"]
        assert info["status"] == "KILLED"  # nothing says that it had finished
    finally:
        server.stop()


def test_a_full_disk_that_a_server_relieves(
    program: Any, small_disk: Path, environment: dict[str, str], make_server: Callable[..., Server]
) -> None:
    server = make_server()
    environment["LOGBUCH_JOURNAL_FOLDER"] = str(small_disk / "journals")
    process = program(LOOP, server.url, COUNT="300000")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    check(server, out.split()[0], 300_000, 0)


def test_a_long_outage_is_bounded_on_disk_and_in_memory(program: Any, sync: Any, tmp_path: Path) -> None:
    """An hour without a server at 1,000 points a second, a tenth of it, with a tenth of the room."""
    dropped, grown = offline(program, sync, tmp_path, 360_000, LOGBUCH_JOURNAL_BYTES="8000000")
    assert dropped > 150_000
    assert grown < 30_000


def test_a_long_outage_with_room_loses_nothing(program: Any, sync: Any, tmp_path: Path) -> None:
    dropped, grown = offline(program, sync, tmp_path, 360_000)
    assert dropped == 0
    assert grown < 60_000  # the segments are mapped: the kernel may let go of them


def fill(ballast: Path) -> None:
    """Takes what is left of a disk to which others write as well."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def test_a_full_disk_under_the_server(
    program: Any, sync: Any, small_disk: Path, tmp_path: Path, make_server: Callable[..., Server]
) -> None:
    server = make_server(f"sqlite:///{small_disk}/logbuch.db")
    ballast = small_disk / "ballast"
    process = program(LOOP, server.url, COUNT="200000", LOGBUCH_FINISH_TIMEOUT="2", GO=str(tmp_path / "go"))
    run_id = process.stdout.readline().strip()
    fill(ballast)  # before the first point: a program is faster than a test that has to wait for its turn
    (tmp_path / "go").touch()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "could not be sent" in err
    assert server.get("experiments/get", experiment_id="0").status_code == 200  # it still reads
    ballast.unlink()
    report = sync()
    assert report.returncode == 0, report.stdout + report.stderr
    check(server, run_id, 200_000, 0)


def test_a_disk_without_room_for_a_file(
    program: Any, sync: Any, small_disk: Path, environment: dict[str, str], make_server: Callable[..., Server]
) -> None:
    server = make_server()
    environment["LOGBUCH_JOURNAL_FOLDER"] = str(small_disk / "journals")
    body = """
    with open("large.bin", "wb") as file:
        file.write(bytes(20_000_000))
    with logbuch.start_run() as run:
        print(run.info.run_id, flush=True)
        logbuch.log_artifact("large.bin")
        logbuch.log_text("small", "small.txt")
        for step in range(1000):
            logbuch.log_metric("m", step + 0.5, step=step)
    print(logbuch.delivery().refused, flush=True)
    """
    process = program(body, server.url)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    run_id, lost = out.split()
    assert steps(server, run_id) == list(range(1000))
    files = {file["path"] for file in server.get("artifacts/list", run_id=run_id).json()["files"]}
    assert ("small.txt" in files, "large.bin" in files, lost) == (True, False, "1")
    tags = server.get("runs/get", run_id=run_id).json()["run"]["data"]["tags"]
    assert {"key": "logbuch.records_lost", "value": "1"} in tags
