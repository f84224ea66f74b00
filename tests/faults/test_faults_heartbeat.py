"""Trainings whose process is gone, sleeps or comes back, as the server shows them. Real processes; signs of life come
every second instead of every quarter of a minute."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.servers import Server
from support.waiting import wait_until

QUICK = {"LOGBUCH_HEARTBEAT_SECONDS": "1"}
LOST_SECONDS = 3.0
"""After so much silence a training is lost."""
WAITING = """
with logbuch.start_run() as run:
    logbuch.log_metric("m", 1.0)
    print(run.info.run_id, flush=True)
    time.sleep(3600)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    started = Server(folder, f"sqlite:///{folder}/logbuch.db", settings=QUICK).start()
    yield started
    started.stop()


def status(server: Server, run_id: str) -> str:
    found = server.native("runs/table", {"run_ids": [run_id]}).json()
    return str(found["runs"][0]["status"])


def becomes(server: Server, run_id: str, *wanted: str) -> None:
    wait_until(lambda: status(server, run_id), wanted.__contains__, server)


def test_a_killed_training_is_lost_and_ends_with_the_next_process(server: Server, program: Any) -> None:
    process = program(WAITING, server.url, **QUICK)
    run_id = process.stdout.readline().strip()
    stock = server.new_run()
    time.sleep(LOST_SECONDS + 1)
    becomes(server, run_id, "RUNNING")
    begun = server.get("runs/get", run_id=run_id).json()["run"]["info"]["start_time"]
    process.kill()
    killed = time.time() * 1000
    becomes(server, run_id, "LOST")
    assert server.get("runs/get", run_id=run_id).json()["run"]["info"]["status"] == "RUNNING"
    other = program("with logbuch.start_run():\n    pass", server.url, **QUICK)
    assert other.wait(90) == 0
    becomes(server, run_id, "KILLED")
    info = server.get("runs/get", run_id=run_id).json()["run"]["info"]
    assert begun <= info["end_time"] <= killed + 1000  # the last sign of life
    assert status(server, stock) == "RUNNING"


def test_a_training_that_was_stopped_comes_back(server: Server, program: Any) -> None:
    process = program(WAITING, server.url, **QUICK)
    run_id = process.stdout.readline().strip()
    process.send_signal(signal.SIGSTOP)
    becomes(server, run_id, "LOST")
    process.send_signal(signal.SIGCONT)
    becomes(server, run_id, "RUNNING")
    process.send_signal(signal.SIGTERM)
    becomes(server, run_id, "KILLED")
    assert process.wait(60) == 143


def test_a_server_that_was_away_calls_no_training_lost(server: Server, program: Any) -> None:
    process = program(WAITING, server.url, **QUICK)
    run_id = process.stdout.readline().strip()

    def stays() -> bool:
        """Whether the training is never lost after the server was away for longer than a training may be silent."""
        server.kill()
        time.sleep(LOST_SECONDS + 0.5)
        server.start()
        seen = set()
        end = time.monotonic() + LOST_SECONDS + 0.5
        while time.monotonic() < end:
            seen.add(status(server, run_id))
            time.sleep(0.05)
        becomes(server, run_id, "RUNNING")
        return seen == {"RUNNING"}

    # On a busy machine the training itself may be silent for so long, once; a server that is wrong is so each time.
    assert any(stays() for _ in range(4))
    process.kill()
    becomes(server, run_id, "LOST")


def test_a_run_that_goes_on_elsewhere_is_not_ended_by_its_first_process(server: Server, program: Any) -> None:
    first = program(WAITING, server.url, **QUICK)
    run_id = first.stdout.readline().strip()
    first.kill()
    first.wait()
    again = WAITING.replace("start_run()", f"start_run(run_id={run_id!r})")
    second = program(again, server.url, **QUICK)  # it also finds what the first has left
    assert second.stdout.readline().strip() == run_id
    time.sleep(LOST_SECONDS + 1)
    becomes(server, run_id, "RUNNING")
    second.kill()
    becomes(server, run_id, "LOST", "KILLED")


def test_heartbeats_and_deaths_that_are_no_sense(server: Server) -> None:
    for body in ({}, {"journal": "x"}, {"journal": 7}, {"journal": "A" * 32}):
        assert server.native("heartbeat", body).status_code == 400
    assert server.native("heartbeat", {"journal": "0" * 32}).json() == {"seconds": 1}
    for body in ({"journal": "0" * 32}, {"journal": "0" * 32, "time": 2**70}, {"journal": "", "time": 1}):
        assert server.native("heartbeat/gone", body).status_code == 400
    assert server.native("heartbeat/gone", {"journal": "0" * 32, "time": 1}).json() == {"ended": 0}
