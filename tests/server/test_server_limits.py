"""What a careless or hostile client sends is refused in its own place, and the server lives on."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from logbuch.store import experiments, open_store
from support.servers import Server
from support.waiting import wait_until


@pytest.fixture(params=["sqlite", "postgres"])
def server(make_server: Callable[..., Server], request: pytest.FixtureRequest) -> Server:
    return make_server(request.getfixturevalue(f"{request.param}_uri"))


def token(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def test_no_text_or_number_of_a_client_is_a_server_error(server: Server) -> None:
    experiment = server.post("experiments/create", {"name": "x"}).json()["experiment_id"]
    for number in range(3):
        server.new_run(experiment, start_time=number)
    search = {"experiment_ids": [experiment], "max_results": 1}
    first = server.post("runs/search", search).json()["next_page_token"]
    name = json.loads(base64.urlsafe_b64decode(first))[0]
    native = f"{server.url}/api/logbuch/1/runs/table"
    headers = {"content-type": "application/json"}
    answers = [
        server.post("experiments/create", {"name": "y", "artifact_location": "file://[x/"}),
        server.post("experiments/create", {"name": "z"}, headers={"origin": "http://[x"}),
        server.post("runs/search", search | {"page_token": token(name, 2**70, "a")}),
        server.post("runs/search", search | {"page_token": token(name, 1, "\ud800")}),
        server.post("runs/search", search | {"page_token": token(name, 1, "a\0")}),
        server.post("runs/search", search | {"experiment_ids": [str(number) for number in range(70_000)]}),
        server.post("experiments/delete-experiment-tag", {"experiment_id": experiment, "key": "a\0"}),
        httpx.post(native, content=b'{"run_ids": ["\\ud800", "\\u0000"]}', headers=headers),
        server.get("experiments/get-by-name", experiment_name="a\0b"),
        server.get("runs/get", run_id="a\0b"),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert answers[7].json()["runs"] == []
    assert "Traceback" not in server.log()


def test_a_head_without_end_is_cut_off(shared_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", shared_server.port), 60) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        with suppress(ConnectionError):  # the kernel may take all of it before the server hangs up
            for number in range(5000):
                connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 1000))
                time.sleep(0.0005)
        with suppress(ConnectionError):
            while connection.recv(65_536):
                pass
    assert httpx.get(f"{shared_server.url}/health").text == "OK"


def test_a_large_body_does_not_hold_up_the_others(shared_server: Server) -> None:
    point = {"key": "m", "value": "1.5", "timestamp": "1", "step": "1"}
    body = json.dumps({"run_id": "x", "metrics": [point] * 300_000}).encode()
    import threading

    def share() -> float:
        """How much of the time that the body takes is the longest wait of another request."""
        longest, started = 0.0, time.monotonic()
        done = threading.Event()

        def send() -> None:
            path = f"{shared_server.url}/api/2.0/mlflow/runs/log-batch"
            try:
                answer = httpx.post(path, content=body, headers={"content-type": "application/json"})
                statuses.append(answer.status_code)
            finally:
                done.set()

        statuses: list[int] = []
        sender = threading.Thread(target=send)
        sender.start()
        while not done.is_set():
            begun = time.monotonic()
            httpx.get(f"{shared_server.url}/health")
            longest = max(longest, time.monotonic() - begun)
        sender.join()
        assert statuses == [400]
        return longest / (time.monotonic() - started)

    # Decoded on the loop, the wait of the others would be nearly all of it, each time; a busy machine spoils one.
    assert any(share() < 1 / 2 for _ in range(5))


def test_reading_and_opening_wait_for_no_writer(sqlite_uri: str) -> None:
    opened = open_store(sqlite_uri)
    with closing(sqlite3.connect(sqlite_uri.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        second = open_store(sqlite_uri, seal=False)
        assert second.read(experiments.get, "0").name == opened.read(experiments.get, "0").name
        assert time.monotonic() - begun < 29  # a writer would be waited for half a minute
        other.execute("ROLLBACK")
    second.close()
    opened.close()


def test_two_servers_log_to_the_same_runs(make_server: Callable[..., Server], postgres_uri: str) -> None:
    """The same params, tags and metrics from two replicas: no deadlock, no error, everything once."""
    import threading

    servers = [make_server(postgres_uri), make_server(postgres_uri)]
    run_ids = [servers[0].new_run() for _ in range(4)]
    bad: list[str] = []

    def log(number: int) -> None:
        with httpx.Client(timeout=120) as client:
            for step in range(40):
                run_id = run_ids[(step * 7 + number) % 4]
                body = {
                    "run_id": run_id,
                    "metrics": [
                        {"key": f"m{key}", "value": step, "timestamp": number, "step": step} for key in range(5)
                    ],
                    "params": [{"key": f"p{step}", "value": "same"}],
                    "tags": [{"key": f"t{key}", "value": str(number)} for key in range(4)],
                }
                answer = client.post(f"{servers[number % 2].url}/api/2.0/mlflow/runs/log-batch", json=body)
                if answer.status_code != 200:
                    bad.append(answer.text)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bad == []
    assert time.monotonic() - begun < 120  # a deadlock, or one that waits for the other, takes longer
    points = servers[0].get("metrics/get-history", run_id=run_ids[0], metric_key="m0").json()["metrics"]
    assert len(points) == 80


def test_workers_end_with_their_supervisor(make_server: Callable[..., Server]) -> None:
    server = make_server(None, "--workers", "2")
    assert server.process is not None
    workers = wait_until(psutil.Process(server.process.pid).children, lambda found: len(found) == 2, server)
    server.kill()
    psutil.wait_procs(workers, timeout=60)
    assert not any(worker.is_running() for worker in workers)
    server.start()


def test_a_worker_that_dies_is_replaced_after_a_pause(make_server: Callable[..., Server]) -> None:
    server = make_server(None, "--workers", "1")
    server.stop()
    server = make_server(None, "--workers", "2")
    assert server.process is not None
    supervisor = psutil.Process(server.process.pid)
    victim = wait_until(supervisor.children, lambda found: len(found) == 2, server)[0]
    os.kill(victim.pid, signal.SIGKILL)
    wait_until(supervisor.children, lambda found: len(found) == 2 and victim not in found, server)
    assert "another starts in 1 s" in server.log()
    assert server.get("experiments/get", experiment_id="0").status_code == 200


def test_listed_origins_may_call(make_server: Callable[..., Server]) -> None:
    server = make_server(None, "--cors-allowed-origins", "https://notebook.example")
    path = f"{server.url}/api/2.0/mlflow/experiments/create"
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = httpx.options(path, headers={"origin": "https://notebook.example", **asked})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://notebook.example"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answer = httpx.post(path, json={"name": "a"}, headers={"origin": "https://notebook.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://notebook.example")
    other = httpx.options(path, headers={"origin": "https://evil.example", **asked})
    assert "access-control-allow-origin" not in other.headers
    assert httpx.post(path, json={"name": "b"}, headers={"origin": "https://evil.example"}).status_code == 403


def test_artifacts_lie_beside_a_database_given_as_a_bare_path(tmp_path: Path) -> None:
    from logbuch.cli.server import artifact_root, store_uri_of

    uri = store_uri_of(f"{tmp_path}/x/runs.db")
    assert uri == f"sqlite:///{tmp_path}/x/runs.db"
    assert artifact_root(None, uri) == f"{tmp_path}/x/artifacts"
    assert artifact_root(None, "sqlite:///runs.db") == "artifacts"
