"""``logbuch run``: real programs, with a run around them."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import logbuch
from support.ports import free_port
from support.servers import Server
from support.waiting import wait_until

COMMAND = [sys.executable, "-m", "logbuch", "run"]


def start(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    usual: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*COMMAND, *arguments], env=environment(), **usual | more)


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "LOGBUCH_CONSOLE"} | {"LOGBUCH_QUIET": "1"}


def done(*arguments: str) -> tuple[int, str, str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def runs() -> list[Any]:
    return list(logbuch.search_runs(search_all_experiments=True, output_format="list"))


def only() -> Any:
    (run,) = runs()
    return run


def script(text: str, name: str = "train.py") -> str:
    Path(name).write_text(text)
    return name


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ("pass", 0, "FINISHED"),
        ("raise SystemExit(7)", 7, "FAILED"),
        ("raise ValueError('boom')", 1, "FAILED"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, "KILLED"),
        ("raise KeyboardInterrupt", 130, "KILLED"),
    ],
)
def test_the_end_of_the_program_is_that_of_the_run(body: str, code: int, status: str) -> None:
    found, _, err = done(sys.executable, script(body))
    assert found == code
    run = only()
    assert run.info.status == status
    assert ("boom" in err) == ("boom" in body)
    assert run.data.tags["mlflow.source.name"] == str(Path("train.py").resolve())


def test_what_is_said_of_the_run() -> None:
    code, out, _ = done(
        *("-e", "mine", "--name", "base", "-p", "lr=0.1", "-p", "note=a=b", "-t", "team=x", "--description", "why"),
        *("--", sys.executable, "-c", "import sys; print(sys.argv)", "-p", "--experiment", "own"),
    )
    assert (code, out) == (0, "['-c', '-p', '--experiment', 'own']\n")
    run = only()
    assert run.info.run_name == "base"
    assert run.data.params == {"lr": "0.1", "note": "a=b"}
    assert (run.data.tags["team"], run.data.tags["mlflow.note.content"]) == ("x", "why")
    assert logbuch.get_experiment(run.info.experiment_id).name == "mine"


JOINS = """
import logbuch, sys
other = logbuch.set_experiment("other")
with logbuch.start_run(experiment_id=other.experiment_id, run_name="mine"):
    logbuch.log_metric("loss", 1.5)
logbuch.start_run(run_name="second")
sys.exit(3)
"""


def test_the_programs_own_run_is_this_one_and_its_next_is_another() -> None:
    code, _, err = done(script(JOINS))
    assert code == 3
    second, first = sorted(runs(), key=lambda run: run.info.run_name, reverse=True)
    assert (first.info.run_name, first.info.status, first.data.metrics) == ("mine", "FAILED", {"loss": 1.5})
    assert second.info.run_name == "second"
    assert "stays in experiment 0" in err


def test_a_module() -> None:
    Path("package").mkdir()
    script("import sys; print(__name__, sys.argv[1:])", "package/part.py")
    assert done("-m", "package.part", "--lr", "1")[:2] == (0, "__main__ ['--lr', '1']\n")
    assert only().data.tags["mlflow.source.name"] == str(Path("package/part.py").resolve())


def test_wrong_use_starts_nothing() -> None:
    assert "is not of the form KEY=VALUE" in done("-p", "lr", "true")[2]
    assert "No such option '--nmae'" in done("--nmae", "x", "true")[2]
    code, _, err = done("no-such-program")
    assert (code, err) == (127, "logbuch run: there is no program 'no-such-program'\n")
    assert not Path(".logbuch").exists()


PRINTS = """
import os, sys, time
print("tty", os.isatty(1), os.isatty(2))
sys.stderr.write("an error\\n")
sys.stdout.flush()
os.write(1, b"past Python: \\xc3\\xa4 \\xff\\r\\n")
"""


def lines(stored: Path) -> list[str]:
    """The lines of the only run's log, by a server on the embedded store."""
    import httpx

    server = Server(stored, f"sqlite:///{stored}/.logbuch/logbuch.db").start()
    try:
        text = httpx.get(f"{server.url}/api/logbuch/1/runs/logs.txt", params={"run_id": only().info.run_id}).text
    finally:
        server.stop()
    return [line.split(" ", 2)[-1].strip() for line in text.splitlines()]


def test_output_is_passed_on_as_it_is_and_kept(tmp_path: Path) -> None:
    process = start(script(PRINTS), text=False)
    out, err = process.communicate(timeout=60)
    assert out == b"tty False False\npast Python: \xc3\xa4 \xff\r\n"
    assert err == b"an error\n"
    kept = " | ".join(lines(tmp_path))
    for line in ("tty False False", "past Python: ä \ufffd", "an error"):
        assert line in kept
    assert kept.count("tty False") == 1


def test_one_stream_keeps_its_order() -> None:
    body = "import sys\nfor i in range(300):\n    print(i, file=sys.stderr if i % 2 else sys.stdout, flush=True)"
    process = start(script(body), stderr=subprocess.STDOUT)
    out, _ = process.communicate(timeout=60)
    assert out.split() == [str(i) for i in range(300)]


def test_a_terminal_stays_one_and_its_size_too() -> None:
    ours, theirs = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    body = "import os; print('tty', os.isatty(1), os.isatty(2), os.get_terminal_size(1))"
    process = start(script(body), stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b")" not in shown:
        shown += os.read(ours, 1000)
    assert process.wait(60) == 0
    assert b"tty True True os.terminal_size(columns=111, lines=33)" in shown
    os.close(ours)


def test_output_comes_at_once() -> None:
    process = start(script("import time\nprint('now', end='', flush=True)\ntime.sleep(600)"))
    assert process.stdout is not None
    begin = time.monotonic()
    assert process.stdout.read(3) == "now"
    assert time.monotonic() - begin < 300
    process.terminate()
    assert process.wait(90) == 143
    assert only().info.status == "KILLED"
    process.communicate()


def test_who_reads_no_further_ends_the_program() -> None:
    body = "import sys\ntry:\n    while True:\n        print('more' * 1000)\nexcept BrokenPipeError:\n    sys.exit(9)"
    process = start(script(body))
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(60) == 9
    assert process.stderr is not None
    process.stderr.close()


ORPHAN = """
import pathlib, sys, time
print("begun", flush=True)
while not pathlib.Path("go").exists():
    time.sleep(0.05)
for number in range(20_000):
    print("line", number)
print("an error", file=sys.stderr)
sys.stdout.flush()
pathlib.Path("trained").write_text("to the end")
"""


@pytest.mark.parametrize("terminal", [False, True])
def test_a_program_trains_on_when_its_run_command_is_killed(terminal: bool) -> None:
    if terminal:
        ours, theirs = pty.openpty()
        process = start(script(ORPHAN), stdout=theirs, stderr=theirs)
        os.close(theirs)
    else:
        ours = -1
        process = start(script(ORPHAN))
        assert process.stdout is not None
        ours = process.stdout.fileno()
    shown = b""
    while b"begun" not in shown:
        shown += os.read(ours, 1000)
    process.kill()
    process.wait(90)
    Path("go").touch()
    with contextlib.suppress(OSError):  # so a terminal ends
        while piece := os.read(ours, 65_536):
            shown += piece
    assert Path("trained").read_text() == "to the end"
    assert shown.count(b"line") == 20_000
    if terminal:
        os.close(ours)
    else:
        assert process.stderr is not None and process.stdout is not None
        assert process.stderr.read() == "an error\n"
        process.stdout.close()
        process.stderr.close()


def test_a_program_trains_on_when_its_terminal_goes_too() -> None:
    process = start(script(ORPHAN))
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.read(5) == "begun"
    process.kill()
    process.wait(90)
    process.stdout.close()
    process.stderr.close()
    Path("go").touch()
    wait_until(
        lambda: Path("trained").exists() and Path("trained").read_text(), lambda found: found == "to the end", Path()
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_program(number: signal.Signals) -> None:
    body = f"""
import signal, sys, time
def heed(number, frame):
    print("heard", number, flush=True)
    sys.exit(0)
signal.signal({int(number)}, heed)
print("ready", flush=True)
time.sleep(600)
"""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and children inherit that
    try:
        process = start(script(body), start_new_session=True)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, f"heard {int(number)}\n")
    assert only().info.status == "FINISHED"


def test_control_c_reaches_the_program_once_and_input_too() -> None:
    body = """
import signal, sys, time
heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
print("name?", input(), flush=True)
while not heard:
    time.sleep(0.01)
time.sleep(1)
print("heard", len(heard), flush=True)
"""
    name = script(body)
    pid, ours = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [*COMMAND, name], environment())
    shown = b""
    os.write(ours, b"Ada\n")
    while b"name? Ada" not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, b"\x03")
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 1000):
            shown += piece
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"heard 1" in shown
    os.close(ours)
    assert only().info.status == "FINISHED"


def test_the_code_is_that_of_the_program(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], check=True)
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", "--allow-empty"], check=True
    )
    os.environ["LOGBUCH_CAPTURE_GIT"] = "true"
    assert done(script("print(1)"))[0] == 0
    tags = only().data.tags
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert tags["logbuch.source.untracked"] == "true"


@pytest.mark.slow
def test_without_a_server_it_runs_and_arrives_later(tmp_path: Path) -> None:
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    body = "import logbuch\nwith logbuch.start_run():\n    logbuch.log_metric('m', 2.0)\nprint('fine')"
    code, out, _ = done("--tracking-uri", uri, "-p", "a=1", script(body))
    assert (code, out) == (0, "fine\n")
    server = Server(tmp_path, f"sqlite:///{tmp_path}/late.db", port=port).start()
    try:
        sent = subprocess.run(
            [sys.executable, "-m", "logbuch", "sync"], env=environment(), capture_output=True, text=True, check=False
        )
        assert sent.returncode == 0, sent.stdout + sent.stderr
        logbuch.set_tracking_uri(uri)
        run = only()
        assert (run.info.status, run.data.metrics, run.data.params) == ("FINISHED", {"m": 2.0}, {"a": "1"})
    finally:
        server.stop()


@pytest.mark.slow
def test_a_program_that_tracks_with_mlflow_joins(shared_server: Server) -> None:
    python = Path(__file__).parents[2] / ".venv-mlflow3" / "bin" / "python"
    assert python.exists(), "run: make compat-envs"
    body = "import mlflow\nwith mlflow.start_run() as run:\n    mlflow.log_metric('m', 2.0)\nprint(run.info.run_id)"
    code, out, err = done("--tracking-uri", shared_server.url, "-e", "with mlflow", str(python), script(body))
    assert code == 0, err
    logbuch.set_tracking_uri(shared_server.url)
    (run,) = logbuch.search_runs(experiment_names=["with mlflow"], output_format="list")
    assert run.info.run_id in out
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"m": 2.0})
