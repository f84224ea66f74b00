"""What happens to trainings in ordinary life: they are killed and resumed, share a run, and clocks jump."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from support.servers import Server

Sync = Callable[..., Any]


def history(server: Server, run_id: str, key: str) -> list[tuple[int, int, float]]:
    """(step, timestamp, value) of all points, as they are stored."""
    answer = server.get("metrics/get-history", run_id=run_id, metric_key=key, max_results=25_000).json()
    return [(int(point["step"]), int(point["timestamp"]), float(point["value"])) for point in answer["metrics"]]


def test_a_training_goes_on_from_a_checkpoint_with_a_lower_step(
    make_server: Callable[..., Server], program: Any, sync: Sync
) -> None:
    server = make_server()
    body = """
    run = logbuch.start_run(run_id=os.environ.get("AGAIN"))
    print(run.info.run_id, flush=True)
    first, last, sign = map(int, os.environ["STEPS"].split())
    for step in range(first, last):
        logbuch.log_metric("loss", sign * (step + 0.5), step=step)
    logbuch.log_param("lr", 0.1)
    print("done", flush=True)
    if os.environ.get("DIE"):
        time.sleep(3600)
    """
    first = program(body, server.url, STEPS="0 1000 1", DIE="1")
    run_id = first.stdout.readline().strip()
    assert first.stdout.readline() == "done\n"
    first.kill()
    first.wait()
    second = program(body, server.url, AGAIN=run_id, STEPS="600 1500 -1")
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    assert out.split() == [run_id, "done"]
    assert sync().returncode == 0
    found = history(server, run_id, "loss")
    wanted = [(step, step + 0.5) for step in range(1000)] + [(step, -step - 0.5) for step in range(600, 1500)]
    assert sorted((step, value) for step, _, value in found) == sorted(wanted)
    info = server.get("runs/get", run_id=run_id).json()["run"]["info"]
    assert info["status"] == "FINISHED"


def test_two_processes_write_to_one_run(make_server: Callable[..., Server], program: Any) -> None:
    server = make_server()
    run_id = server.new_run()
    body = """
    with logbuch.start_run(run_id=os.environ["RUN"]):
        for step in range(2000):
            logbuch.log_metric("shared", float(os.environ["OWN"]), step=step)
            logbuch.log_metric("own" + os.environ["OWN"], 0.5, step=step)
        logbuch.log_param("same", 1)
        logbuch.set_tag("by" + os.environ["OWN"], "yes")
    """
    both = [program(body, server.url, RUN=run_id, OWN=own) for own in ("1", "2")]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    shared = history(server, run_id, "shared")
    assert sorted((step, value) for step, _, value in shared) == [(s, v) for s in range(2000) for v in (1.0, 2.0)]
    run = server.get("runs/get", run_id=run_id).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    assert {"by1", "by2"} <= {tag["key"] for tag in run["data"]["tags"]}


def test_a_clock_that_jumps(make_server: Callable[..., Server], program: Any) -> None:
    server = make_server()
    body = """
    real, jumps = time.time_ns, [0]
    time.time_ns = lambda: real() + jumps[0] * 1_000_000_000
    with logbuch.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(400):
            jumps[0] = (0, 7200, -86_400, -7200, 0, 86_400, 0)[step // 60]
            logbuch.log_metric("m", step + 0.5, step=step)
            logbuch.log_metrics({"a": 1.0, "b": 2.0}, step=step)
            time.sleep(0.001)
    """
    process = program(body, server.url)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    run_id = out.strip()
    for key in ("m", "a"):
        times = [moment for _, moment, _ in sorted(history(server, run_id, key))]
        assert len(times) == 400
        assert times == sorted(times)
        assert len(set(times)) > 300  # and it does not stand still either
    info = server.get("runs/get", run_id=run_id).json()["run"]["info"]
    assert info["status"] == "FINISHED"
    assert info["end_time"] >= times[-1]


CHAINED = """
def read():
    raise OSError("inner")
try:
    read()
except OSError as error:
    raise KeyError("outer") from error
"""


# Amid an import Python may drop what a signal's handler raises, in a callback of importlib's.
READY = "print('ready', flush=True)\ntime.sleep(3600)"


def test_how_a_training_ends_is_kept(make_server: Callable[..., Server], program: Any) -> None:
    server = make_server()
    begin = "run = logbuch.start_run()\nprint(run.info.run_id, flush=True)\n"
    ends = [
        ("raise ValueError('too much')", None, "FAILED", "ValueError: too much"),
        ("import ctypes\n" + READY, signal.SIGTERM, "KILLED", None),
        (READY, signal.SIGINT, "KILLED", "KeyboardInterrupt"),
        (CHAINED, None, "FAILED", "OSError: inner"),
        ("sys.exit(0)", None, "FINISHED", None),
        ("with run:\n    sys.exit('no data')", None, "FAILED", "no data"),
    ]
    for body, how, status, reason in ends:
        process = program(begin + body, server.url)
        run_id = process.stdout.readline().strip()
        if how is not None:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(how)
        process.wait(90)
        run = server.get("runs/get", run_id=run_id).json()["run"]
        tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
        assert run["info"]["status"] == status, body
        assert run["info"]["end_time"] >= run["info"]["start_time"]
        if reason is not None:
            assert reason in tags["logbuch.error"], body
            assert tags["logbuch.error"].startswith(("Traceback", "The above"))
