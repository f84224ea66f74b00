"""What happens to runs when processes end, fork, or are killed. Real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import logbuch

HEAD = """
import os, sys, signal, threading
import logbuch
logbuch.set_tracking_uri(os.environ["PLACE"])
run = logbuch.start_run(run_name="it")
print(run.info.run_id, flush=True)
logbuch.log_metric("m", 1.0)
"""


def program(body: str, place: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(body)],
        env=os.environ | {"PLACE": str(place)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str, str]:
    """Run id, the rest of stdout, stderr."""
    out, err = process.communicate(timeout=30)
    first, _, rest = out.partition("\n")
    return first, rest, err


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
    def down(batches):
        raise Unavailable("no answer")
    logbuch.flush()
    from logbuch.sdk.connection import connect
    backend = connect().backend
    backend.log_batches = down
    backend.update_run = lambda *_: down(())
    for step in range(5):
        logbuch.log_metric("lost", 1.0, step=step)
    """
    process = program(body, tmp_path, LOGBUCH_FINISH_TIMEOUT="1")
    _, _, err = finished(process)
    assert process.returncode == 0
    assert "6 records could not be sent" in err
    assert len(err.splitlines()) == 2  # and the warning when it began


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
    done = subprocess.run([sys.executable, str(script), place], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{'rank0': 0.0, 'rank1': 1.0} FINISHED\n", "")
