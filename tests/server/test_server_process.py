"""The server as a process: start, memory, idleness, kill -9, refusals in one line."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.ports import free_port
from support.servers import Server
from support.waiting import wait_until

ROUNDS = 100 if os.environ.get("LOGBUCH_TEST_LONG") else 5
START_LIMIT_SECONDS = 30  # far above the second that is promised: benchmarks measure, tests only notice a wreck
RESIDENT_LIMIT_KB = 120 * 1024


def test_it_starts_lean_and_idles(make_server: Callable[..., Server]) -> None:
    server = make_server()
    assert server.process is not None
    assert server.ready_after < START_LIMIT_SECONDS
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found: Any = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert int(found.group(1)) < RESIDENT_LIMIT_KB
    assert any(ticks_of_a_second(server) == 0 for _ in range(30))  # nothing is done but what the start has left to do


def ticks_of_a_second(server: Server) -> int:
    """CPU time of one idle second, in hundredths."""
    spent = cpu_ticks(server)
    time.sleep(1)
    return cpu_ticks(server) - spent


def cpu_ticks(server: Server) -> int:
    assert server.process is not None
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_it_ends_orderly_also_with_listeners(make_server: Callable[..., Server]) -> None:
    server = make_server()
    with httpx.stream("GET", f"{server.url}/api/logbuch/1/live") as answer:
        next(answer.iter_lines())
        begun = time.monotonic()
        assert server.stop() == 0
    assert time.monotonic() - begun < 30


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_killed_server_has_every_acknowledged_point(
    make_server: Callable[..., Server], request: pytest.FixtureRequest, database: str
) -> None:
    """kill -9 at random moments under load; then everything that was acknowledged is there, once, and no more."""
    server = make_server(request.getfixturevalue(f"{database}_uri"))
    run_ids = [server.new_run() for _ in range(4)]
    acknowledged: dict[str, list[int]] = {run_id: [] for run_id in run_ids}
    sent = dict.fromkeys(run_ids, 0)
    for _ in range(ROUNDS):
        stop = threading.Event()
        writers = [
            threading.Thread(target=hammer, args=(server, run_id, acknowledged, sent, stop)) for run_id in run_ids
        ]
        for writer in writers:
            writer.start()
        before = {run_id: len(steps) for run_id, steps in acknowledged.items()}
        wait_until(
            lambda: {run_id: len(steps) for run_id, steps in acknowledged.items()},
            lambda found, before=before: all(found[run_id] > before[run_id] + 2 for run_id in run_ids),
            server,
        )
        time.sleep(random.uniform(0.0, 0.6))
        server.kill()
        stop.set()
        for writer in writers:
            writer.join()
        server.start()
    for run_id in run_ids:
        points = server.get("metrics/get-history", run_id=run_id, metric_key="m").json()["metrics"]
        steps = [point["step"] for point in points]
        assert sorted(set(steps)) == sorted(steps)
        assert set(acknowledged[run_id]) <= set(steps) <= set(range(sent[run_id]))
        assert all(point["value"] == point["step"] / 7 for point in points)
        assert len(acknowledged[run_id]) > 10


def hammer(
    server: Server, run_id: str, acknowledged: dict[str, list[int]], sent: dict[str, int], stop: threading.Event
) -> None:
    with httpx.Client(timeout=60) as client:
        while not stop.is_set():
            step = sent[run_id]
            sent[run_id] += 1
            body = {"run_id": run_id, "key": "m", "value": step / 7, "timestamp": step, "step": step}
            try:
                answer = client.post(f"{server.url}/api/2.0/mlflow/runs/log-metric", json=body)
            except httpx.TransportError:
                continue
            if answer.status_code == 200:
                acknowledged[run_id].append(step)


def test_several_workers_share_one_database(make_server: Callable[..., Server]) -> None:
    server = make_server(None, "--workers", "2")
    run_id = server.new_run()
    threads = []
    for worker in range(4):

        def log(first: int = worker * 1000) -> None:
            for step in range(first, first + 50):
                body = {"run_id": run_id, "key": "m", "value": 1, "timestamp": step, "step": step}
                assert server.post("runs/log-metric", body).status_code == 200

        threads.append(threading.Thread(target=log))
        threads[-1].start()
    for thread in threads:
        thread.join()
    points = server.get("metrics/get-history", run_id=run_id, metric_key="m").json()["metrics"]
    assert len(points) == 200
    assert server.stop() == 0


def test_a_static_prefix(make_server: Callable[..., Server]) -> None:
    server = make_server(None, "--static-prefix", "/tracker")
    answer = httpx.get(f"{server.url}/tracker/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"})
    assert answer.json()["experiment"]["name"] == "Default"
    assert '<base href="/tracker/">' in httpx.get(f"{server.url}/tracker/e/1").text


def test_the_page_bears_the_cursor_from_which_it_follows(make_server: Callable[..., Server]) -> None:
    server = make_server()

    def cursor() -> str:
        found = re.search(r'<meta name="logbuch-cursor" content="(\d+)">', httpx.get(server.url).text)
        assert found is not None
        return found[1]

    before = cursor()
    run_id = server.new_run("0")
    assert int(cursor()) > int(before)
    with httpx.stream("GET", f"{server.url}/api/logbuch/1/live", params={"cursor": before}) as stream:
        lines = stream.iter_lines()
        told = next(line for line in lines if line.startswith("data:") and "runs" in line)
    assert run_id in told


def test_being_open_to_the_network_is_said(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "logbuch", "server", "--host", "0.0.0.0", "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        process.terminate()
        out, error = process.communicate(timeout=60)
    assert f"http://127.0.0.1:{port}/" in out
    assert "no login" in error


def refused(tmp_path: Path, *arguments: str) -> str:
    """The one line that a wrong call gets."""
    port = () if "--port" in arguments else ("--port", str(free_port()))
    command = [sys.executable, "-m", "logbuch", *arguments, *port]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_"))}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, env=environment)
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refused(tmp_path, "ui", "--port", str(taken.getsockname()[1]))
    assert "Cannot listen" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "0"), "1<=x<=65535"),
        (("--port", "x"), "--port"),
        (("--workers", "0"), "--workers"),
        (("--backend-store-uri", "mysql://x/y"), "not supported"),
        (("--backend-store-uri", "./mlruns"), "sqlite:///FILE"),
        (("--default-artifact-root", "gs://bucket/x"), "use a folder or s3://BUCKET/PREFIX"),
        (("--static-prefix", "x/"), "slash"),
        (("--backend-store-uri", "sqlite:////proc/nothing/x.db"), "cannot be made"),
        (("--nonsense",), "No such option"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(tmp_path, "server", *arguments)


def test_mlflows_own_database_is_refused_in_one_line(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
        connection.commit()
    before = (tmp_path / "mlflow.db").read_bytes()
    said = refused(tmp_path, "server", "--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db")
    assert "MLflow's" in said
    assert "\n" not in said
    assert (tmp_path / "mlflow.db").read_bytes() == before
