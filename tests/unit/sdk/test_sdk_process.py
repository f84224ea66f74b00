"""What happens to runs when processes end, fork, or are killed. Real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import logbuch
from logbuch.errors import Unavailable
from logbuch.sdk import connection
from logbuch.sdk.backends import embedded

HEAD = """
import os, sys, signal, threading
import logbuch
logbuch.set_tracking_uri(os.environ["PLACE"])
run = logbuch.start_run(run_name="it")
print(run.info.run_id, flush=True)
logbuch.log_metric("m", 1.0)
"""


DROPPED = """
import weakref
class Thing: pass
def wait():
    for _ in range(600):
        threading.Event().wait(0.1)
def asked(_):
    os.kill(os.getpid(), signal.SIGTERM)
    sum(range(1000))
thing = Thing()
"""
"""What a weak reference's callback raises is reported and dropped: the program goes on."""


def program(body: str, place: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(body)],
        env=os.environ | {"PLACE": str(place), "LOGBUCH_QUIET": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str, str]:
    """Run id, the rest of stdout, stderr."""
    out, err = process.communicate(timeout=120)
    first, _, rest = out.partition("\n")
    return first, rest, err


def arrived(place: Path, run_id: str, key: str, at_least: int = 1) -> int:
    """How many points a run has, once what was left behind has been sent by this process."""
    logbuch.set_tracking_uri(place)
    points: list[object] = []
    for _ in range(600):
        points = list(logbuch.LogbuchClient().get_metric_history(run_id, key))
        if len(points) >= at_least:
            break
        time.sleep(0.1)
    return len(points)


def status_of(place: Path, run_id: str) -> str:
    logbuch.set_tracking_uri(place)
    return str(logbuch.get_run(run_id).info.status)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", "FINISHED", 0),
        ("raise ValueError('boom')", "FAILED", 1),
        ("raise KeyboardInterrupt", "KILLED", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGTERM)", "KILLED", 143),
        (DROPPED + "held = weakref.ref(thing, asked); del thing; wait()", "KILLED", 143),
        ("try:\n    raise ValueError('boom')\nfinally:\n    logbuch.end_run()", "FAILED", 1),
        ("try:\n    sys.exit(3)\nfinally:\n    logbuch.end_run()", "FAILED", 3),
        ("logbuch.end_run(); raise ValueError('later')", "FINISHED", 1),
    ],
)
def test_the_end_of_the_process_ends_its_run(tmp_path: Path, body: str, status: str, code: int) -> None:
    process = program(body, tmp_path)
    run_id, _, err = finished(process)
    assert process.returncode == code, err
    assert status_of(tmp_path, run_id) == status
    run = logbuch.get_run(run_id)
    assert run.data.metrics == {"m": 1.0}
    assert run.info.end_time is not None
    assert ("boom" in run.data.tags.get("logbuch.error", "")) == ("boom" in body)


def test_a_sigterm_handler_of_the_program_stays(tmp_path: Path) -> None:
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN); logbuch.end_run(); logbuch.start_run()\n"
    body += "print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)"
    assert finished(program(body, tmp_path))[1] == "True\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_logs_to_the_run_and_does_not_end_it(tmp_path: Path) -> None:
    body = """
    for number in range(2):
        child = os.fork()
        if child == 0:
            logbuch.log_metric(f"child{number}", 2.0, step=number)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
    logbuch.flush()
    print(logbuch.get_run(run.info.run_id).info.status)
    """
    run_id, rest, err = finished(program(body, tmp_path))
    assert (rest, err) == ("RUNNING\n", "")
    assert status_of(tmp_path, run_id) == "FINISHED"
    assert logbuch.get_run(run_id).data.metrics == {"m": 1.0, "child0": 2.0, "child1": 2.0}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_workers_of_multiprocessing_send_what_they_log(tmp_path: Path) -> None:
    body = """
    import multiprocessing
    def work():
        logbuch.log_metric("worker", 3.0)
        with logbuch.start_run(nested=True, run_name="own") as own:
            logbuch.log_metric("own", 4.0)
        logbuch.start_run(nested=True, run_name="left open")
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start(); worker.join(); assert worker.exitcode == 0
    """
    run_id, _, err = finished(program(body, tmp_path))
    assert err == ""
    assert status_of(tmp_path, run_id) == "FINISHED"
    assert logbuch.get_run(run_id).data.metrics == {"m": 1.0, "worker": 3.0}
    own = logbuch.search_runs(["0"], output_format="list", filter_string="attributes.run_name != 'it'")
    assert sorted((run.info.run_name, str(run.info.status)) for run in own) == [
        ("left open", "FINISHED"),
        ("own", "FINISHED"),
    ]


def test_what_cannot_be_sent_is_said_in_one_line_and_in_time(tmp_path: Path) -> None:
    body = """
    from logbuch.errors import Unavailable
    def down(*_):
        raise Unavailable("no answer")
    logbuch.flush()
    from logbuch.sdk.connection import connect
    connect().backend.ingest = down
    for step in range(5):
        logbuch.log_metric("lost", 1.0, step=step)
    """
    process = program(body, tmp_path, LOGBUCH_FINISH_TIMEOUT="1")
    run_id, _, err = finished(process)
    assert process.returncode == 0
    assert "6 records could not be sent" in err
    assert f"logbuch sync {tmp_path}" in err
    assert len(err.splitlines()) == 2  # and the warning when it began
    assert arrived(tmp_path, run_id, "lost") == 5  # the next process has sent them
    assert status_of(tmp_path, run_id) == "FINISHED"


def test_threads_share_the_main_threads_run(tmp_path: Path) -> None:
    body = """
    thread = threading.Thread(target=lambda: logbuch.log_metric("thread", 1.0))
    thread.start(); thread.join()
    """
    run_id, _, _ = finished(program(body, tmp_path))
    assert status_of(tmp_path, run_id) == "FINISHED"
    assert logbuch.get_run(run_id).data.metrics["thread"] == 1.0
    assert len(logbuch.search_runs(["0"], output_format="list")) == 1


def test_spawned_workers_have_a_process_state_of_their_own(tmp_path: Path) -> None:
    script = tmp_path / "spawning.py"
    script.write_text(
        textwrap.dedent("""
        import multiprocessing, sys
        import logbuch

        def work(place, run_id, number):
            logbuch.set_tracking_uri(place)
            logbuch.log_metric(f"rank{number}", number, run_id=run_id)

        if __name__ == "__main__":
            logbuch.set_tracking_uri(sys.argv[1])
            with logbuch.start_run() as run:
                spawn = multiprocessing.get_context("spawn")
                workers = [spawn.Process(target=work, args=(sys.argv[1], run.info.run_id, n)) for n in range(2)]
                [worker.start() for worker in workers], [worker.join() for worker in workers]
                assert [worker.exitcode for worker in workers] == [0, 0]
            print(dict(logbuch.get_run(run.info.run_id).data.metrics), logbuch.get_run(run.info.run_id).info.status)
        """)
    )
    place = str(tmp_path / "runs")
    environment = os.environ | {"LOGBUCH_QUIET": "1"}
    done = subprocess.run(
        [sys.executable, str(script), place], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.stdout, done.stderr) == ("{'rank0': 0.0, 'rank1': 1.0} FINISHED\n", "")


def test_where_the_runs_are_is_said_once_a_process(tmp_path: Path) -> None:
    body = """
    logbuch.end_run()
    with logbuch.start_run(run_name="second"):
        pass
    """
    _, _, err = finished(program(body, tmp_path / ".logbuch", LOGBUCH_QUIET=""))
    assert err == "Run it is in ./.logbuch; see it with: logbuch ui\n"
    _, _, err = finished(program("", tmp_path / ".logbuch", LOGBUCH_QUIET=""))
    assert err == "Run it is in ./.logbuch; see it with: logbuch ui\n"
    assert finished(program("", tmp_path / ".logbuch"))[2] == ""


def test_the_database_is_whole_after_the_process(tmp_path: Path) -> None:
    run_id, _, _ = finished(program("", tmp_path))
    assert sorted(file.name for file in tmp_path.glob("logbuch.db*")) == ["logbuch.db"]
    assert status_of(tmp_path, run_id) == "FINISHED"


def test_files_that_cannot_be_sent_are_counted_and_the_run_ends(tmp_path: Path) -> None:
    body = """
    from logbuch.errors import Unavailable
    from logbuch.sdk.connection import connect
    backend = connect().backend
    def down(*_):
        raise Unavailable("disk full")
    backend.upload, backend.spools = down, True
    logbuch.log_text("x", "a.txt")
    logbuch.log_metric("after", 1.0)
    """
    run_id, _, err = finished(program(body, tmp_path, LOGBUCH_FINISH_TIMEOUT="1"))
    assert "1 file could not be sent" in err
    assert "(disk full); kept in " in err
    assert status_of(tmp_path, run_id) == "FINISHED"
    assert logbuch.get_run(run_id).data.metrics == {"m": 1.0, "after": 1.0}
    for _ in range(600):  # this process sends what the other one could not
        found = logbuch.LogbuchClient().list_artifacts(run_id)
        if found:
            break
        time.sleep(0.1)
    assert [file.path for file in found] == ["a.txt"]


# -- fork and SQLite ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_a_child_has_flushed_outlives_its_parents_end(tmp_path: Path) -> None:
    body = """
    import time
    logbuch.flush()
    if os.fork() == 0:
        os.close(1), os.close(2)
        arrived = 0
        for step in range(6):
            logbuch.log_metric("c", float(step), step=step)
            arrived += logbuch.flush(20)
            time.sleep(0.2)
        open(os.environ["PLACE"] + "/acknowledged", "w").write(str(arrived))
        os._exit(0)
    time.sleep(0.5)
    """
    run_id, _, _ = finished(program(body, tmp_path))
    told = tmp_path / "acknowledged"
    for _ in range(600):
        status_of(tmp_path, run_id)  # another process opens and closes the file meanwhile
        connection.close_all()
        if told.exists() and told.read_text():
            break
        time.sleep(0.1)
    assert told.read_text() == "6"
    logbuch.set_tracking_uri(tmp_path)
    assert len(logbuch.LogbuchClient().get_metric_history(run_id, "c")) == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_forked_amid_writing_lose_nothing(tmp_path: Path) -> None:
    body = """
    import time
    rid, stop = run.info.run_id, False
    def hammer():
        step = 0
        while not stop:
            for _ in range(500):
                logbuch.log_metric("p", 1.0, step=step, run_id=rid)
                step += 1
            logbuch.flush(30)
    thread = threading.Thread(target=hammer)
    thread.start()
    children = []
    for number in range(10):
        child = os.fork()
        if child == 0:
            logbuch.log_metric("c", 1.0, step=number)
            os._exit(0 if logbuch.flush(20) else 3)
        children.append(child)
        time.sleep(0.05)
    print([os.waitpid(child, 0)[1] for child in children])
    stop = True
    thread.join()
    """
    run_id, rest, err = finished(program(body, tmp_path))
    assert (rest, err) == (f"{[0] * 10}\n", "")
    assert status_of(tmp_path, run_id) == "FINISHED"
    assert len(logbuch.LogbuchClient().get_metric_history(run_id, "c")) == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_a_child_cannot_send_that_was_forked_amid_a_call_is_sent_by_others(tmp_path: Path) -> None:
    body = """
    from logbuch.sdk.backends import forking
    from logbuch.sdk.connection import connect
    forking.FORK_SECONDS = 0.2
    logbuch.flush()
    with connect().backend.gate:
        child = os.fork()
    if child == 0:
        for step in range(5):
            logbuch.log_metric("c", 1.0, step=step)
        print(logbuch.delivery().dropped, flush=True)
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    logbuch.log_metric("after", 1.0)
    """
    run_id, rest, err = finished(program(body, tmp_path))
    assert rest == "0\n"
    assert "cannot be opened in it" in err.splitlines()[0]
    assert "5 records could not be sent" in err.splitlines()[1]
    assert arrived(tmp_path, run_id, "c", 5) == 5
    assert status_of(tmp_path, run_id) == "FINISHED"
    assert logbuch.get_run(run_id).data.metrics == {"m": 1.0, "c": 1.0, "after": 1.0}


def test_a_locked_file_is_an_error_in_time_and_no_matter_to_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logbuch.set_tracking_uri(tmp_path)
    logbuch.create_experiment("first")
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0.3)
    monkeypatch.setattr(connection, "READ_SECONDS", 0.5)
    with contextlib.closing(sqlite3.connect(tmp_path / "logbuch.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        with pytest.raises(Unavailable, match="is locked by another process"):
            logbuch.create_experiment("second")
        assert time.monotonic() - begin < 7  # and not the eight seconds that it waits by itself
        run = logbuch.start_run()
        logbuch.log_metric("m", 1.0)
        assert time.monotonic() - begin < 30
        assert logbuch.search_runs(["0"], output_format="list") == []  # readers are not held up
        other.execute("ROLLBACK")
    assert logbuch.flush(60)
    logbuch.end_run()
    (found,) = logbuch.search_runs(["0"], output_format="list")
    assert (found.info.run_id, found.data.metrics) == (run.info.run_id, {"m": 1.0})
    assert logbuch.get_experiment_by_name("second") is None  # what was given up has not been done later
