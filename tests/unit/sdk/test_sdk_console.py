"""Console output of runs: noted line by line, without a trace in the program."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import logbuch
from logbuch.sdk import stack
from logbuch.sdk.output import console, consolelog
from logbuch.sdk.output.console import Allowance, Recorder
from logbuch.sdk.recording.redaction import Redactor
from logbuch.store import logs, open_store


class FakeLog:
    """Remembers what it is told; ``meanwhile`` is called amid it."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.lines: list[tuple[str, str]] = []
        self.open: dict[str, str] = {}
        self.dropped = 0
        self.calls = 0
        self._meanwhile = meanwhile

    def log(self, stream: str, times: Sequence[int], texts: Sequence[str], open_line: str, dropped: int) -> None:
        assert len(times) == len(texts)
        self.calls += 1
        self.lines += [(stream, text) for text in texts]
        self.open[stream] = open_line
        self.dropped += dropped
        self._meanwhile()


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], logs.LogPage]:
    """Turns the capture on, and reads what was kept of a run."""
    monkeypatch.setenv("LOGBUCH_CONSOLE", "wrap")

    def read(run_id: str) -> logs.LogPage:
        assert logbuch.flush(60)
        store = open_store(f"sqlite:///{tmp_path}/.logbuch/logbuch.db", seal=False)
        try:
            return store.read(logs.page, run_id, 0, None, 10_000)
        finally:
            store.close()

    return read


# -- the recorder ------------------------------------------------------------------------------------------------------


def test_lines_are_noted_before_the_call_returns() -> None:
    log = FakeLog()
    recorder = Recorder(log)
    for piece in ("one", " line", "\ntwo\nthr"):
        recorder.feed("stdout", piece)
    assert log.lines == [("stdout", "one line"), ("stdout", "two")]
    recorder.feed("stderr", "oops\n")
    recorder.close()
    assert log.lines[2:] == [("stderr", "oops"), ("stdout", "thr")]


def test_the_state_of_an_open_line_follows_and_goes() -> None:
    log = FakeLog()
    recorder = Recorder(log)
    recorder.feed("stderr", "\r10%")
    recorder.flush()
    recorder.feed("stderr", "\r20%")
    recorder.flush()
    assert (log.lines, log.open["stderr"]) == ([], "20%")
    calls = log.calls
    recorder.flush()
    assert log.calls == calls, "nothing has changed"
    recorder.feed("stderr", "\r100%\nnext\n")
    assert (log.lines, log.open["stderr"]) == ([("stderr", "100%"), ("stderr", "next")], "")
    recorder.close()


def test_open_lines_are_noted_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "OPEN_SECONDS", 0.01)
    noted = threading.Event()
    log = FakeLog(noted.set)
    recorder = Recorder(log)
    recorder.feed("stdout", "still working")
    assert noted.wait(60)
    assert log.open["stdout"] == "still working"
    recorder.close()


def test_too_many_lines_are_left_out_and_counted() -> None:
    now = [0.0]
    log = FakeLog()
    recorder = Recorder(log, allowance=Allowance(10, 20, lambda: now[0]))
    recorder.feed("stdout", "".join(f"{number}\n" for number in range(50)))
    assert len(log.lines) == 20
    now[0] = 0.5
    recorder.feed("stdout", "later\n")
    assert [text for _, text in log.lines[20:]] == [
        "[logbuch: 30 lines left out here: more than 1000 a second for long]",
        "later",
    ]
    recorder.feed("stdout", "".join(f"{number}\n" for number in range(14)))
    recorder.close()
    assert log.lines[-1][1].startswith("[logbuch: 10 lines left out")
    assert log.dropped == 40


def test_long_lines_use_more_of_the_allowance() -> None:
    log = FakeLog()
    recorder = Recorder(log, allowance=Allowance(0, 20, lambda: 0.0))
    recorder.feed("stdout", ("x" * 9999 + "\n") * 5)
    recorder.close()
    assert len(log.lines) == 3, "two lines, and what was left out"


def test_secrets_are_hidden_in_whole_and_open_lines() -> None:
    log = FakeLog()
    recorder = Recorder(log, redactor=Redactor({}))
    recorder.feed("stdout", "password=hunter2\n-----BEGIN PRIVATE KEY-----\nabc\n")
    recorder.feed("stdout", "secret stuff")
    recorder.flush()
    assert log.open["stdout"] == "***"
    recorder.feed("stdout", "\n-----END PRIVATE KEY-----\npassword=hun")
    recorder.feed("stdout", "ter2")
    recorder.flush()
    assert log.open["stdout"] == "password=***"
    recorder.close()
    assert "hunter2" not in str(log.lines)
    assert [text for _, text in log.lines] == [
        "password=***",
        "-----BEGIN PRIVATE KEY-----***",
        "***",
        "***",
        "***",
        "password=***",
    ]


def test_what_is_written_while_a_line_is_noted_comes_later_and_does_not_recurse() -> None:
    recorder: Recorder
    log = FakeLog(lambda: recorder.feed("stderr", "a warning\n") if log.calls < 3 else None)
    recorder = Recorder(log)
    recorder.feed("stdout", "one\n")
    assert log.lines == [("stdout", "one"), ("stderr", "a warning"), ("stderr", "a warning")]
    recorder.close()


def test_a_log_that_fails_is_told_once_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("no log today")

    recorder = Recorder(FakeLog(fail))
    with caplog.at_level(logging.WARNING, "logbuch"):
        for _ in range(3):
            recorder.feed("stdout", "x\n")
        recorder.close()
    assert [record.message for record in caplog.records] == ["console output could not be recorded"]


def test_threads_write_whole_lines() -> None:
    log = FakeLog()
    recorder = Recorder(log)

    def write(name: int) -> None:
        for number in range(200):
            recorder.feed("stdout", f"{name}-{number}\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    assert sorted(text for _, text in log.lines) == sorted(f"{a}-{b}" for a in range(4) for b in range(200))


def test_who_prints_may_hold_what_a_warning_of_ours_waits_for() -> None:
    handler, said = logging.Handler(), list[str]()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    noting, holding = threading.Event(), threading.Event()

    def meanwhile() -> None:
        if threading.current_thread() is first:
            noting.set()
            assert holding.wait(30)
            console.logger.warning("no place")
            assert said == []

    def printing_within_a_handler() -> None:
        with handler.lock:  # type: ignore[union-attr]
            holding.set()
            recorder.feed("stderr", "second\n")

    log = FakeLog(meanwhile)
    recorder = Recorder(log)
    first = threading.Thread(target=lambda: recorder.feed("stdout", "first\n"))
    second = threading.Thread(target=printing_within_a_handler)
    console.logger.addHandler(handler)
    try:
        first.start()
        assert noting.wait(30)
        second.start()
        for thread in (first, second):
            thread.join(30)
            assert not thread.is_alive()
    finally:
        console.logger.removeHandler(handler)
    recorder.close()
    assert said == ["no place"]
    assert log.lines == [("stdout", "first"), ("stderr", "second")]


def test_no_thread_waits_for_long_for_one_that_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(console, "_LATE", 2)
    stuck, free = threading.Event(), threading.Event()

    def meanwhile() -> None:
        stuck.set()
        assert free.wait(30)

    log = FakeLog(meanwhile)
    recorder = Recorder(log)
    thread = threading.Thread(target=lambda: recorder.feed("stdout", "stuck\n"))
    thread.start()
    assert stuck.wait(30)
    for number in range(5):
        recorder.feed("stdout", f"{number}\n")
    free.set()
    thread.join(30)
    recorder.close()
    texts = [text for _, text in log.lines]
    assert texts[0] == "stuck" and texts[-2:] == ["0", "1"]
    assert log.dropped == 3 and "3 lines left out" in " ".join(texts)


# -- the streams -------------------------------------------------------------------------------------------------------


def test_wrapped_streams_are_what_they_were_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    log = FakeLog()
    recorder = Recorder(log)
    console.wrap(lambda: recorder)
    console.wrap(lambda: recorder)
    print("once", file=stream)
    stream.writelines(["two\n"])
    console.unwrap()
    print("unheard", file=stream)
    recorder.close()
    assert log.lines == [("stdout", "once"), ("stdout", "two")]
    assert stream.buffer.getvalue() == b"once\ntwo\nunheard\n"  # type: ignore[attr-defined]
    assert "write" not in stream.__dict__


def test_a_stream_that_somebody_else_wraps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    log, recorders = FakeLog(), list[Recorder]()
    recorders.append(Recorder(log))
    console.wrap(lambda: recorders[0] if recorders else None)
    ours = stream.write
    theirs: Any = lambda text: ours(text.upper())  # noqa: E731
    stream.write = theirs  # type: ignore[method-assign]
    console.unwrap()
    assert stream.write is theirs
    print("both", file=stream)
    recorders.pop().close()
    print("one", file=stream)
    assert log.lines == [("stdout", "BOTH")]
    assert stream.buffer.getvalue() == b"BOTH\nONE\n"  # type: ignore[attr-defined]
    stream.write = ours  # type: ignore[method-assign]
    console.unwrap()


@pytest.mark.parametrize("stream", [None, object()])
def test_streams_that_cannot_be_wrapped_are_left_alone(monkeypatch: pytest.MonkeyPatch, stream: Any) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    console.wrap(lambda: None)
    console.unwrap()
    assert sys.stdout is stream


# -- runs --------------------------------------------------------------------------------------------------------------


def test_a_run_keeps_what_is_printed(stored: Callable[[str], logs.LogPage]) -> None:
    handler = logging.StreamHandler(sys.stderr)  # it holds the stream from before the run
    logger = logging.getLogger("a-program")
    logger.addHandler(handler)
    logger.propagate = False
    print("before")
    with logbuch.start_run() as run:
        print("within", 1)
        logger.warning("watch out")
        print("no end", end="")
    print("after")
    logger.removeHandler(handler)
    found = stored(run.info.run_id)
    assert list(found.lines.texts) == ["within 1", "watch out", "no end"]
    assert [found.lines.origins[index].stream for index in found.lines.origin] == ["stdout", "stderr", "stdout"]
    assert list(found.head.open) == []
    assert "write" not in getattr(sys.stdout, "__dict__", {})


def test_nested_runs_each_keep_their_own(stored: Callable[[str], logs.LogPage]) -> None:
    with logbuch.start_run() as outer:
        print("outer")
        with logbuch.start_run(nested=True) as inner:
            print("inner")
        print("outer again")
    assert list(stored(outer.info.run_id).lines.texts) == ["outer", "outer again"]
    assert list(stored(inner.info.run_id).lines.texts) == ["inner"]


def test_an_exception_that_leaves_the_block_is_in_the_log(stored: Callable[[str], logs.LogPage]) -> None:
    with pytest.raises(ZeroDivisionError), logbuch.start_run() as run:
        print("fine so far")
        1 / 0  # noqa: B018
    texts = stored(run.info.run_id).lines.texts
    assert texts[0] == "fine so far"
    assert texts[1] == "Traceback (most recent call last):"
    assert texts[-1] == "ZeroDivisionError: division by zero"


def test_a_resumed_run_goes_on_in_its_log(stored: Callable[[str], logs.LogPage]) -> None:
    with logbuch.start_run() as run:
        print("first")
    with logbuch.start_run(run_id=run.info.run_id):
        print("second")
    assert list(stored(run.info.run_id).lines.texts) == ["first", "second"]


def test_the_caller_decides_over_the_setting(
    stored: Callable[[str], logs.LogPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    with logbuch.start_run(log_console=False) as run:
        print("unheard")
    assert stored(run.info.run_id).head.total == 0
    monkeypatch.setenv("LOGBUCH_CONSOLE", "off")
    with logbuch.start_run() as run:
        print("unheard")
    assert stored(run.info.run_id).head.total == 0
    with logbuch.start_run(log_console=True) as run:
        print("heard")
    assert stored(run.info.run_id).head.total == 1


def test_ranks_name_themselves(stored: Callable[[str], logs.LogPage], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    assert console.source() == ""
    monkeypatch.setenv("WORLD_SIZE", "8")
    with logbuch.start_run() as run:
        print("x")
    assert stored(run.info.run_id).lines.origins[0].source == "rank3"


@pytest.mark.parametrize(
    ("setting", "notebook", "prompt", "within", "expected"),
    [
        ("", False, False, False, True),
        ("auto", False, True, True, False),
        ("auto", True, False, False, False),
        ("auto", True, False, True, True),
        ("wrap", True, False, False, True),
        ("off", False, False, True, False),
        ("0", False, False, False, False),
        ("nonsense", False, False, False, True),
    ],
)
def test_where_output_is_kept_by_itself(
    monkeypatch: pytest.MonkeyPatch, setting: str, notebook: bool, prompt: bool, within: bool, expected: bool
) -> None:
    monkeypatch.setenv("LOGBUCH_CONSOLE", setting)
    monkeypatch.setattr("logbuch.sdk.recording.capture.in_notebook", lambda: notebook)
    monkeypatch.setattr(consolelog, "_at_prompt", lambda: prompt)
    assert consolelog.wanted(None, within=within) is expected
    assert consolelog.wanted(True, within=False) is True
    assert consolelog.wanted(False, within=True) is False


def test_in_a_notebook_the_block_is_kept(
    stored: Callable[[str], logs.LogPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGBUCH_CONSOLE", "auto")
    monkeypatch.setattr("logbuch.sdk.recording.capture.in_notebook", lambda: True)
    run = logbuch.start_run()
    print("a cell")
    logbuch.end_run()
    assert stored(run.info.run_id).head.total == 0
    with logbuch.start_run() as run:
        print("within a block")
    assert list(stored(run.info.run_id).lines.texts) == ["within a block"]


CHILDREN = """
import logbuch, multiprocessing, os, sys

def work():
    print("worker")
    print("half a line", end="")

if __name__ == "__main__":
    with logbuch.start_run() as run:
        print("parent", flush=True)
        child = os.fork()
        if not child:
            print("child", flush=True)
            grandchild = os.fork()
            if not grandchild:
                print("grandchild", file=sys.stderr, flush=True)
            else:
                os.waitpid(grandchild, 0)
            os._exit(0)
        os.waitpid(child, 0)
        worker = multiprocessing.get_context("fork").Process(target=work, name="loader")
        worker.start()
        worker.join()
        print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_children_are_heard_beside_their_parent(tmp_path: Path) -> None:
    done = _program(tmp_path, CHILDREN)
    assert done.stdout.splitlines() == [b"parent", b"child", b"worker", b"half a linedone"]
    assert done.stderr.splitlines() == [b"grandchild"]
    _send_what_is_left(tmp_path)
    page = _only_log(tmp_path)
    named = {
        text: (page.lines.origins[place].source, page.lines.origins[place].stream)
        for text, place in zip(page.lines.texts, page.lines.origin, strict=True)
    }
    assert len(named) == len(page.lines.texts) == 6
    assert named["parent"] == named["done"] == ("", "stdout")
    assert named["worker"] == named["half a line"] == ("loader", "stdout")
    assert named["child"][0].startswith("pid ") and named["child"][1] == "stdout"
    assert named["grandchild"][0].startswith("pid ") and named["grandchild"][1] == "stderr"
    assert named["child"][0] != named["grandchild"][0]
    assert list(page.head.open) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_of_a_run_that_is_not_heard_print_unheard(tmp_path: Path) -> None:
    done = _program(tmp_path, CHILDREN.replace("start_run()", "start_run(log_console=False)"))
    assert done.stderr.splitlines() == [b"grandchild"]
    assert _only_log(tmp_path).head.total == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_of_a_server_that_keeps_no_logs_get_files_of_their_own(tmp_path: Path) -> None:
    old = "from logbuch.sdk.shipping.sender import Sender\nSender.knows_journals = lambda self: False\n"
    assert _program(tmp_path, old + CHILDREN).returncode == 0
    (file,) = (tmp_path / ".logbuch").rglob("console-loader-*.log")
    assert [line[20:] for line in file.read_text().splitlines()] == ["stdout worker", "stdout half a line"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_another_thread_prints_goes_on(tmp_path: Path) -> None:
    program = """
import logbuch, os, sys, threading
end, go = threading.Event(), threading.Event()

def chatter():
    while not end.is_set():
        go.wait()
        go.clear()
        for number in range(200):
            print("thread", number)

with logbuch.start_run():
    threading.Thread(target=chatter, daemon=True).start()
    for number in range(20):
        go.set()
        child = os.fork()
        if not child:
            print(f"child {number}", file=sys.stderr)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    end.set()
    go.set()
"""
    done = _program(tmp_path, program)
    assert done.returncode == 0, done.stderr
    _send_what_is_left(tmp_path)
    texts = _only_log(tmp_path, 100_000).lines.texts
    assert sorted(text for text in texts if text.startswith("child")) == sorted(f"child {n}" for n in range(20))


SPAWNED = """
import logbuch, multiprocessing

def work(run_id):
    with logbuch.start_run(run_id=run_id):
        print("spawned")

if __name__ == "__main__":
    with logbuch.start_run() as run:
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=work, args=(run.info.run_id,), name="helper")
        worker.start()
        worker.join()
        print("parent", worker.exitcode)
"""


def test_a_spawned_worker_that_joins_the_run_is_heard_by_its_name(tmp_path: Path) -> None:
    assert _program(tmp_path, SPAWNED).returncode == 0
    lines = _only_log(tmp_path).lines
    heard = {text: lines.origins[place].source for text, place in zip(lines.texts, lines.origin, strict=True)}
    assert heard == {"spawned": "helper", "parent 0": ""}


def _program(folder: Path, source: str) -> subprocess.CompletedProcess[bytes]:
    script = folder / "program.py"
    script.write_text(source)
    return _run(folder, "-W", "ignore", str(script))


def _send_what_is_left(folder: Path) -> None:
    """What children leave that end without a word is sent by others, if the program has not had the time."""
    done = _run(folder, "-m", "logbuch", "sync")
    assert done.returncode == 0, (done.stdout, done.stderr)


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"LOGBUCH_CONSOLE": "wrap", "LOGBUCH_QUIET": "1", "LOGBUCH_FINISH_TIMEOUT": "60"},
        capture_output=True,
        timeout=240,
    )


def _only_log(folder: Path, limit: int = 100) -> logs.LogPage:
    store = open_store(f"sqlite:///{folder}/.logbuch/logbuch.db", seal=False)
    (run_id,) = store.read(lambda tx: tx.connection.exec_driver_sql("SELECT run_id FROM runs").scalars().all())
    page = store.read(logs.page, run_id, 0, None, limit)
    store.close()
    return page


def test_no_run_no_wrapping(stored: Callable[[str], logs.LogPage]) -> None:
    run = logbuch.start_run()
    assert "write" in sys.stdout.__dict__
    logbuch.end_run()
    assert "write" not in sys.stdout.__dict__
    assert stack.everything() == []
    assert stored(run.info.run_id).head.total == 0


def test_a_clock_beyond_the_calendar_harms_no_file(
    stored: Callable[[str], logs.LogPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logbuch.sdk.shipping.sender.Sender.knows_journals", lambda self: False)
    with logbuch.start_run(log_console=False) as run:
        log = consolelog.begin(*stack.everything()[0].attached())
        log.log("stdout", [2**70], ["late"], "", 0)
        log.close()
    assert logbuch.flush(60)
    assert logbuch.load_text(f"runs:/{run.info.run_id}/{consolelog.FILE}") == f"{2**70} ms stdout late\n"


def test_a_server_that_keeps_no_logs_gets_a_file(
    stored: Callable[[str], logs.LogPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logbuch.sdk.shipping.sender.Sender.knows_journals", lambda self: False)
    with logbuch.start_run() as run:
        print("\x1b[31mred\x1b[0m")
        print("to stderr", file=sys.stderr)
    assert stored(run.info.run_id).head.total == 0
    text = logbuch.load_text(f"runs:/{run.info.run_id}/{consolelog.FILE}")
    assert [line[20:] for line in text.splitlines()] == ["stdout red", "stderr to stderr"]
    with logbuch.start_run(run_id=run.info.run_id):
        print("again")
    assert logbuch.flush(60)
    names = [file.path for file in logbuch.LogbuchClient().list_artifacts(run.info.run_id, "logbuch")]
    assert len([name for name in names if "console" in name]) == 2
