"""Trainings that are killed while they print: every line whose print returned is in the log, once."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from support.servers import Server
from support.waiting import wait_until

LONG = bool(os.environ.get("LOGBUCH_TEST_LONG"))
LOOP = """
run = logbuch.start_run()
print(run.info.run_id, flush=True)
sys.stdout = open(os.devnull, "w")
logbuch.end_run()
with logbuch.start_run(run_id=run.info.run_id):
    done = os.open(os.environ["DONE"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    number = 0
    while True:
        print("line", number)
        os.pwrite(done, number.to_bytes(8, "little"), 0)
        number += 1
        time.sleep(0.0003)
"""
BAR = """
with logbuch.start_run() as run:
    print(run.info.run_id, flush=True)
    sys.stderr.write("\\r50% of the way")
    time.sleep(3600)
"""
Sync = Callable[..., Any]


def log(server: Server, run_id: str) -> dict[str, Any]:
    query: dict[str, Any] = {"run_id": run_id, "after": 0, "limit": 10_000}
    answer = httpx.get(f"{server.url}/api/logbuch/1/runs/logs", params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kept(server: Server, run_id: str) -> bool:
    """Whether the server has a line without an end of the run's, or the run at all."""
    query: dict[str, Any] = {"run_id": run_id, "after": 0, "limit": 10}
    answer = httpx.get(f"{server.url}/api/logbuch/1/runs/logs", params=query)
    return answer.is_success and bool(answer.json()["open"])


def test_killed_trainings_lose_no_line(
    make_server: Callable[..., Server], program: Any, sync: Sync, tmp_path: Path
) -> None:
    server, dice = make_server(), random.Random(2)
    for number in range(100 if LONG else 4):
        done = tmp_path / f"done{number}"
        process = program(LOOP, server.url, DONE=str(done))
        run_id = process.stdout.readline().strip()
        wait_until(lambda done=done: done.exists() and done.stat().st_size, bool, server, process)
        time.sleep(dice.uniform(0.0, 0.8))
        process.kill()
        process.wait()
        report = sync()
        assert report.returncode == 0, report.stdout + report.stderr
        printed = int.from_bytes(done.read_bytes(), "little") + 1
        texts = [text for text in log(server, run_id)["texts"] if text.startswith("line ")]
        assert texts == [f"line {place}" for place in range(len(texts))]
        assert printed <= len(texts) <= printed + 1


def test_a_killed_progress_bar_is_the_last_thing_in_the_log(
    make_server: Callable[..., Server], program: Any, sync: Sync, journals: Path
) -> None:
    server = make_server()
    process = program(BAR, server.url)
    run_id = process.stdout.readline().strip()
    wait_until(lambda: kept(server, run_id), bool, server, journals, process)
    process.kill()
    process.wait()
    assert sync().returncode == 0
    assert [line["text"] for line in log(server, run_id)["open"]] == ["50% of the way"]


def test_output_without_a_server_arrives_later(make_server: Callable[..., Server], program: Any, sync: Sync) -> None:
    server = make_server()
    server.stop()
    body = """
    with logbuch.start_run() as run:
        print(run.info.run_id, flush=True)
        for number in range(300):
            print("line", number)
    """
    process = program(body, server.url, LOGBUCH_FINISH_TIMEOUT="1")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    server.start()
    assert sync().returncode == 0
    run_id = output.splitlines()[0]
    assert log(server, run_id)["texts"] == [run_id, *(f"line {number}" for number in range(300))]
