"""Networks that lose answers, swallow everything, are slow, or die amid a training: each point arrives once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.proxy import Mode, Proxy
from support.servers import Server

pytestmark = pytest.mark.slow

STEPS = 3000
BODY = f"""
begin = time.monotonic()
with logbuch.start_run() as run:
    print(run.info.run_id, flush=True)
    while not os.path.exists(os.environ.get("GO", __file__)):  # until the network is as the test wants it
        time.sleep(0.01)
    for step in range({STEPS}):
        logbuch.log_metric("m", step + 0.5, step=step)
        if step % 10 == 0:
            logbuch.log_metrics({{"a": step + 0.5, "b": 1.0}}, step=step)
            time.sleep(0.005)
    logbuch.log_params({{"lr": 0.1}})
    logbuch.log_text("kept", "note.txt")
    looped = time.monotonic() - begin
print(looped, flush=True)
"""


@pytest.fixture
def proxy(make_server: Callable[..., Server]) -> Iterator[tuple[Server, Proxy]]:
    server = make_server()
    between = Proxy(server.port)
    yield server, between
    between.close()


def check(server: Server, run_id: str) -> None:
    for key, steps in (("m", range(STEPS)), ("a", range(0, STEPS, 10))):
        answer = server.get("metrics/get-history", run_id=run_id, metric_key=key, max_results=25_000).json()
        found = [(int(point["step"]), float(point["value"])) for point in answer["metrics"]]
        assert sorted(found) == [(step, step + 0.5) for step in steps]
    run = server.get("runs/get", run_id=run_id).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    assert run["data"]["params"] == [{"key": "lr", "value": "0.1"}]
    files = {file["path"] for file in server.get("artifacts/list", run_id=run_id).json()["files"]}
    assert "note.txt" in files


def test_answers_that_are_lost_after_the_commit(
    proxy: tuple[Server, Proxy], program: Any, sync: Any, tmp_path: Path
) -> None:
    server, between = proxy
    process = program(BODY, between.url, LOGBUCH_FINISH_TIMEOUT="20", GO=str(tmp_path / "go"))
    run_id = process.stdout.readline().strip()
    between.mode = Mode.LOSE_ANSWERS
    (tmp_path / "go").touch()
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert between.lost > 0
    between.mode = Mode.PASS
    assert sync().returncode == 0
    check(server, run_id)


@pytest.mark.parametrize("mode", [Mode.SWALLOW, Mode.HALF_OPEN, Mode.SLOW])
def test_a_network_that_fails_amid_a_training(proxy: tuple[Server, Proxy], program: Any, sync: Any, mode: Mode) -> None:
    server, between = proxy
    process = program(BODY, between.url, LOGBUCH_FINISH_TIMEOUT="2")
    run_id = process.stdout.readline().strip()
    time.sleep(0.3)
    between.mode = mode
    begin = time.monotonic()
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert float(out) < 30  # the loop takes two seconds; it never waits for the network
    assert time.monotonic() - begin < 60
    between.mode = Mode.PASS
    assert sync().returncode == 0
    check(server, run_id)


def test_a_black_hole_for_the_whole_training(proxy: tuple[Server, Proxy], program: Any, sync: Any) -> None:
    server, between = proxy
    between.mode = Mode.SWALLOW
    process = program(BODY, between.url, LOGBUCH_FINISH_TIMEOUT="1")
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert "logbuch sync" in err.splitlines()[-1]
    between.mode = Mode.PASS
    for _ in range(2):  # the second time changes nothing
        assert sync().returncode == 0
        check(server, out.split()[0])


def test_a_network_that_comes_and_goes(proxy: tuple[Server, Proxy], program: Any, sync: Any) -> None:
    server, between = proxy
    process = program(BODY, between.url, LOGBUCH_FINISH_TIMEOUT="20")
    run_id = process.stdout.readline().strip()
    for mode in (Mode.LOSE_ANSWERS, Mode.SWALLOW, Mode.PASS, Mode.SLOW, Mode.LOSE_ANSWERS, Mode.PASS):
        time.sleep(0.4)
        between.mode = mode
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert sync().returncode == 0
    check(server, run_id)
