"""Trainings that are killed, servers that are killed or never there, full disks: every point whose call returned
arrives exactly once. Real processes; each program keeps a record of its own of what was logged."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.servers import Server
from support.waiting import wait_until

LONG = bool(os.environ.get("LOGBUCH_TEST_LONG"))
LOOP = """
run = logbuch.start_run(run_name="looping")
print(run.info.run_id, flush=True)
done = os.open(os.environ["DONE"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
step = 0
while True:
    logbuch.log_metric("m", step + 0.5, step=step)
    os.pwrite(done, step.to_bytes(8, "little"), 0)
    step += 1
    if step % 50 == 0:
        time.sleep(0.001)
"""
Sync = Callable[..., "subprocess.CompletedProcess[str]"]


def steps(server: Server, run_id: str, key: str = "m") -> list[int]:
    """The steps of a metric as they are stored, duplicates and all."""
    found: list[int] = []
    token = ""
    while True:
        query = {"run_id": run_id, "metric_key": key, "max_results": 25_000}
        answer = server.get("metrics/get-history", **query, **({"page_token": token} if token else {})).json()
        for point in answer.get("metrics", ()):
            assert float(point["value"]) == int(point["step"]) + 0.5
            found.append(int(point["step"]))
        token = answer.get("next_page_token") or ""
        if not token:
            return found


def logged(done: Path) -> int:
    """How many steps a program has logged for certain."""
    raw = done.read_bytes() if done.exists() else b""
    return int.from_bytes(raw, "little") + 1 if raw else 0


def check(server: Server, run_id: str, at_least: int) -> None:
    found = steps(server, run_id)
    assert len(found) == len(set(found))
    assert sorted(found) == list(range(len(found)))
    assert at_least <= len(found) <= at_least + 1


def info(server: Server, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = server.get("runs/get", run_id=run_id).json()["run"]["info"]
    return found


@pytest.mark.slow
@pytest.mark.timeout(7200 if LONG else 300)
def test_killed_trainings_lose_no_point(
    make_server: Callable[..., Server], program: Any, sync: Sync, tmp_path: Path
) -> None:
    """Kills at random moments of the loop, some of them before the run has begun at the server."""
    server, dice = make_server(), random.Random(time.time_ns() if LONG else 1)
    points = 0
    for first in range(0, 1000 if LONG else 48, 8):
        killed = []
        for number in range(first, first + 8):
            done = tmp_path / f"done{number}"
            killed.append((program(LOOP, server.url, DONE=str(done)), done))
        for process, _ in killed:
            process.run_id = process.stdout.readline().strip()
        for process, _ in killed:
            time.sleep(dice.uniform(0.0, 0.2))
            process.kill()
            process.wait()
        report = sync()
        assert report.returncode == 0, report.stdout + report.stderr
        for process, done in killed:
            check(server, process.run_id, logged(done))
            assert info(server, process.run_id)["status"] == "KILLED"
            points += logged(done)
    print(f"{first + 8} kills, {points} points")


def test_the_next_process_sends_what_a_killed_one_has_left(
    make_server: Callable[..., Server], program: Any, tmp_path: Path
) -> None:
    server, done = make_server(), tmp_path / "done"
    process = program(LOOP, server.url, DONE=str(done))
    run_id = process.stdout.readline().strip()
    time.sleep(0.4)
    process.kill()
    process.wait()
    other = program("with logbuch.start_run():\n    logbuch.log_metric('n', 1)", server.url)
    assert other.wait(120) == 0
    check(server, run_id, logged(done))


def test_an_embedded_store_gets_all_of_a_killed_training(program: Any, tmp_path: Path, sync: Sync) -> None:
    done = tmp_path / "done"
    process = program(LOOP, str(tmp_path / ".logbuch"), DONE=str(done))
    run_id = process.stdout.readline().strip()
    time.sleep(1.5)
    process.kill()
    process.wait()
    report = sync()
    assert report.returncode == 0, report.stdout + report.stderr
    server = Server(tmp_path, f"sqlite:///{tmp_path}/.logbuch/logbuch.db").start()
    check(server, run_id, logged(done))
    server.stop()
    assert list((tmp_path / ".logbuch" / "journals").iterdir()) == []


def of_one(journals: list[str]) -> bool:
    """Whether nothing is left but the journal of the training that lives."""
    return len(journals) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_on_the_store_sends_what_a_killed_training_has_left(
    program: Any, tmp_path: Path, workers: str
) -> None:
    done, left = tmp_path / "done", tmp_path / ".logbuch" / "journals"
    process = program(LOOP, str(tmp_path / ".logbuch"), DONE=str(done))
    run_id = process.stdout.readline().strip()
    alive = program(LOOP, str(tmp_path / ".logbuch"), DONE=str(tmp_path / "other"))
    assert alive.stdout.readline()
    time.sleep(0.7)
    process.kill()
    process.wait()
    arguments = ("--workers", workers)
    server = Server(tmp_path, f"sqlite:///{tmp_path}/.logbuch/logbuch.db", arguments).start()
    try:
        wait_until(
            lambda: info(server, run_id)["status"], lambda found: found == "KILLED", server, left, process, alive
        )
        check(server, run_id, logged(done))
        wait_until(lambda: [path.name for path in left.iterdir() if path.name != "sent"], of_one, server, left, alive)
        assert alive.poll() is None
    finally:
        server.stop()


def test_a_server_killed_again_and_again(make_server: Callable[..., Server], program: Any) -> None:
    server = make_server()
    body = """
    with logbuch.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(3000):
            logbuch.log_metric("m", step + 0.5, step=step)
            time.sleep(0.001)
    """
    # Its end waits for longer than a server may take to start.
    process = program(body, server.url, LOGBUCH_FINISH_TIMEOUT="120")
    run_id = process.stdout.readline().strip()
    for _ in range(3):
        time.sleep(0.5)
        server.kill()
        time.sleep(0.3)
        server.start()
    assert process.wait(180) == 0
    assert sorted(steps(server, run_id)) == list(range(3000))
    assert server.get("runs/get", run_id=run_id).json()["run"]["info"]["status"] == "FINISHED"


WHOLE = """
import threading
logbuch.set_experiment("offline")
begin = time.monotonic()
with logbuch.start_run(run_name="alone", tags={"a": "b"}) as run:
    begun = time.monotonic() - begin
    print(run.info.run_id, flush=True)
    logbuch.log_params({"lr": 0.1, "rank": 8})
    for step in range(500):
        logbuch.log_metric("m", step + 0.5, step=step)
    logbuch.log_metrics({"x": 1.0, "y": float("nan")}, step=1)
    logbuch.log_text("what it said", "notes/log.txt")
    logbuch.log_table({"q": ["a"], "n": [1]}, "table.json")
    logbuch.set_tag("t", "ü")
    with logbuch.start_run(nested=True, run_name="child"):
        logbuch.log_metric("c", 1.0)
    looped = time.monotonic() - begin - begun
print(begun, looped, flush=True)
"""


def check_whole(server: Server, run_id: str) -> None:
    answer = server.get("runs/get", run_id=run_id).json()["run"]
    assert (answer["info"]["status"], answer["info"]["run_name"]) == ("FINISHED", "alone")
    assert {item["key"]: item["value"] for item in answer["data"]["params"]} == {"lr": "0.1", "rank": "8"}
    tags = {item["key"]: item["value"] for item in answer["data"]["tags"]}
    assert (tags["a"], tags["t"]) == ("b", "ü")
    experiment = server.get("experiments/get-by-name", experiment_name="offline").json()["experiment"]
    assert experiment["experiment_id"] == answer["info"]["experiment_id"]
    assert sorted(steps(server, run_id)) == list(range(500))
    files = server.get("artifacts/list", run_id=run_id).json()["files"]
    assert sorted(file["path"] for file in files) == ["logbuch", "notes", "table.json"]
    found = server.post("runs/search", {"experiment_ids": [experiment["experiment_id"]]}).json()["runs"]
    assert len(found) == 2


def test_a_training_without_any_server_is_sent_later(
    make_server: Callable[..., Server], program: Any, sync: Sync, tmp_path: Path, journals: Path
) -> None:
    port = free_port()
    process = program(WHOLE, f"http://127.0.0.1:{port}", LOGBUCH_FINISH_TIMEOUT="1")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    run_id, times = out.split("\n")[:2]
    begun, looped = map(float, times.split())
    assert begun < 12
    assert looped < 8
    assert "logbuch sync" in err.splitlines()[-1]
    assert len(err.splitlines()) == 5  # files wait, records wait, two runs ended, what to do
    copies = tmp_path / "copied"
    shutil.copytree(journals, copies)
    failed = sync(str(copies))
    assert failed.returncode == 1
    assert "the rest stays" in failed.stdout
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, f"sqlite:///{folder}/logbuch.db", port=port).start()
    try:
        assert sync(str(copies)).returncode == 0
        check_whole(server, run_id)
        again = sync()  # the originals: all of it is there
        assert again.returncode == 0, again.stdout
        assert "has all of it" in sync(str(copies), "--again").stdout
        check_whole(server, run_id)
    finally:
        server.stop()


def test_a_server_that_says_nothing_costs_no_training_time(program: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        process = program(WHOLE, f"http://127.0.0.1:{listening.getsockname()[1]}", LOGBUCH_FINISH_TIMEOUT="1")
        begin = time.monotonic()
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        begun, looped = map(float, out.split("\n")[1].split())
        assert begun < 12
        assert looped < 8
        assert time.monotonic() - begin < 60


@pytest.mark.parametrize("answer", ["404 Not Found", "200 OK"])
def test_a_proxy_whose_server_is_away_costs_nothing(program: Any, sync: Sync, tmp_path: Path, answer: str) -> None:
    """Whatever it answers: what was logged waits until the server is there."""
    port = free_port()
    reply = f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()

    def serve(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                with listening.accept()[0] as client:
                    client.recv(65536)
                    client.sendall(reply)

    body = """
    with logbuch.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(100):
            logbuch.log_metric("m", step + 0.5, step=step)
        logbuch.log_text("kept", "a.txt")
    """
    with socket.create_server(("127.0.0.1", port), backlog=50) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        process = program(body, f"http://127.0.0.1:{port}", LOGBUCH_FINISH_TIMEOUT="1")
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        listening.shutdown(socket.SHUT_RDWR)
    run_id = out.strip()
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, f"sqlite:///{folder}/logbuch.db", port=port).start()
    try:
        assert sync().returncode == 0
        assert sorted(steps(server, run_id)) == list(range(100))
        assert server.get("runs/get", run_id=run_id).json()["run"]["info"]["status"] == "FINISHED"
        assert "a.txt" in {file["path"] for file in server.get("artifacts/list", run_id=run_id).json()["files"]}
    finally:
        server.stop()


def test_forked_and_spawned_workers(make_server: Callable[..., Server], program: Any, sync: Sync) -> None:
    server = make_server()
    body = """
    import multiprocessing
    def work(run_id, number, hard):
        for step in range(500):
            logbuch.log_metric(f"w{number}", step + 0.5, step=step, **({"run_id": run_id} if number < 2 else {}))
        if hard:
            os.kill(os.getpid(), 9)

    if __name__ == "__main__":
        with logbuch.start_run() as run:
            print(run.info.run_id, flush=True)
            for step in range(500):
                logbuch.log_metric("m", step + 0.5, step=step)
            for number, (how, hard) in enumerate([("fork", 0), ("spawn", 0), ("fork", 1), ("spawn", 1)]):
                worker = multiprocessing.get_context(how).Process(target=work, args=(run.info.run_id, number, hard))
                worker.start()
                worker.join()
            for step in range(500, 1000):
                logbuch.log_metric("m", step + 0.5, step=step)
    """
    process = program(body, server.url)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    run_id = out.strip()
    sync()
    assert sorted(steps(server, run_id)) == list(range(1000))
    for number in range(4):
        assert sorted(steps(server, run_id, f"w{number}")) == list(range(500)), number


def test_a_wiped_server_gets_a_running_training_again(make_server: Callable[..., Server], program: Any) -> None:
    server = make_server()
    body = """
    with logbuch.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(1000):
            logbuch.log_metric("m", step + 0.5, step=step)
        logbuch.flush()
        print("half", flush=True)
        sys.stdin = open(0)
        time.sleep(2)
        for step in range(1000, 2000):
            logbuch.log_metric("m", step + 0.5, step=step)
    """
    process = program(body, server.url, LOGBUCH_FINISH_TIMEOUT="120")  # a server may be slow to start
    run_id = process.stdout.readline().strip()
    assert process.stdout.readline().strip() == "half"
    server.kill()
    for file in server.folder.glob("logbuch.db*"):
        file.unlink()
    server.start()
    assert process.wait(180) == 0
    assert sorted(steps(server, run_id)) == list(range(2000))


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit to the size of files")
def test_a_disk_without_room_ends_no_training(make_server: Callable[..., Server], program: Any) -> None:
    server = make_server()
    assert resource.RLIMIT_FSIZE
    body = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    logbuch.sdk.journal.segments.MEMORY_BYTES = int(os.environ["MEMORY"])
    with logbuch.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(60_000):
            logbuch.log_metric("m", step + 0.5, step=step)
        dropped = logbuch.delivery().dropped
    print(dropped, flush=True)
    """
    body = "import logbuch.sdk.journal.segments\n" + "\n".join(line[4:] for line in body.splitlines())
    for memory in (0, 64 << 20):
        # Nothing but points is logged: what the machine is would be one record more that may find no place.
        process = program(body, server.url, MEMORY=str(memory), LOGBUCH_CAPTURE_MACHINE="false", LOGBUCH_CONSOLE="off")
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        run_id, dropped = out.split()
        found = steps(server, run_id)
        assert len(found) == len(set(found)) == 60_000 - int(dropped)
        assert (int(dropped) > 0) == (memory == 0)
        assert ("dropped" in err) == (memory == 0)
        info = server.get("runs/get", run_id=run_id).json()["run"]
        assert info["info"]["status"] == "FINISHED"
        lost = [tag["value"] for tag in info["data"]["tags"] if tag["key"] == "logbuch.records_lost"]
        assert lost == ([dropped] if memory == 0 else [])


@pytest.mark.parametrize("embedded", [False, True])
def test_a_journal_at_its_limit_at_the_start_ends_no_training(
    make_server: Callable[..., Server], program: Any, tmp_path: Path, embedded: bool
) -> None:
    body = """
    with logbuch.start_run():
        for step in range(100):
            logbuch.log_metric("m", 1.0, step=step)
    print(logbuch.delivery().dropped)
    """
    where = str(tmp_path / "here") if embedded else make_server().url
    process = program(body, where, LOGBUCH_JOURNAL_BYTES="1", LOGBUCH_FINISH_TIMEOUT="1")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert int(out) >= 100
    assert "the journal has reached its limit" in err


def test_a_folder_that_cannot_be_written_ends_no_training(program: Any, tmp_path: Path) -> None:
    body = """
    open(".logbuch", "w").close()  # so no folder can be made
    with logbuch.start_run():
        logbuch.log_metric("m", 1.0)
    print(logbuch.get_tracking_uri())
    """
    process = program(body, "", LOGBUCH_JOURNAL_FOLDER=str(tmp_path / "state" / "journals"))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.strip() == f"sqlite:///{tmp_path}/state/.logbuch/logbuch.db"
    assert f"logbuch: {tmp_path}/.logbuch cannot be made, so runs go to {tmp_path}/state/.logbuch" in err


def test_what_workers_log_to_a_run_begun_without_a_server_waits_for_it(
    make_server: Callable[..., Server], program: Any, sync: Sync, tmp_path: Path, journals: Path
) -> None:
    """The worker's journal may be sent before the one that makes the run."""
    port = free_port()
    body = """
    import multiprocessing
    def work():
        logbuch.log_metric("w", 0.5, step=0)

    if __name__ == "__main__":
        with logbuch.start_run() as run:
            print(run.info.run_id, flush=True)
            for how in ("fork", "spawn"):
                worker = multiprocessing.get_context(how).Process(target=work)
                worker.start()
                worker.join()
    """
    process = program(body, f"http://127.0.0.1:{port}", LOGBUCH_FINISH_TIMEOUT="1")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    run_id = out.strip()
    makers = [path.parent for path in journals.glob("*/*.segment") if run_id.encode() in path.read_bytes()]
    assert len(makers) == 3
    (maker,) = (path for path in makers if 'needs":[]' in (path / "state.json").read_text())
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, f"sqlite:///{folder}/logbuch.db", port=port).start()
    try:
        workers = [str(path) for path in makers if path != maker]
        early = sync(*workers)
        assert early.returncode == 1
        assert "has not arrived" in early.stdout
        assert sync().returncode == 0
        assert steps(server, run_id, "w") == [0, 0]  # of two workers
        assert server.get("runs/get", run_id=run_id).json()["run"]["info"]["status"] == "FINISHED"
    finally:
        server.stop()
