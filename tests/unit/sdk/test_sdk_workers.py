"""Workers that are spawned, by themselves, from a fork server, or by joblib: whose run they log to and print for."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

import logbuch
from logbuch.sdk import cardfolder, connection, workers
from logbuch.store import logs, open_store

T = TypeVar("T")


def program(folder: Path, source: str, **environment: str) -> str:
    """What a program prints that ends well; its runs are in ``folder``."""
    script = folder / "program.py"
    script.write_text(textwrap.dedent(source))
    settings = {"LOGBUCH_CONSOLE": "wrap", "LOGBUCH_QUIET": "1", "LOGBUCH_FINISH_TIMEOUT": "60", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def runs(*experiments: str) -> dict[str, logbuch.Run]:
    """All runs by their names."""
    found = logbuch.search_runs(experiment_names=experiments or ["Default"], output_format="list")
    return {run.info.run_name: run for run in found}


def heard(folder: Path, run_id: str) -> list[tuple[str, str, str]]:
    """Text, stream and process of each line that a run's log has."""
    store = open_store(f"sqlite:///{folder}/.logbuch/logbuch.db", seal=False)
    lines = store.read(logs.page, run_id, 0, None, 1000).lines
    store.close()
    origins = [lines.origins[place] for place in lines.origin]
    return [(text, origin.stream, origin.source) for text, origin in zip(lines.texts, origins, strict=True)]


def settled(read: Callable[[], T], wanted: T) -> T:
    """What is read once it is all there: workers may end after the program, and what they leave others send."""
    end = time.monotonic() + 60
    while (found := read()) != wanted and time.monotonic() < end:
        connection.close_all()  # who opens the store anew looks for what was left
        time.sleep(0.1)
    return found


def steps(found: dict[str, str]) -> dict[str, list[int]]:
    """The steps of the points of each run."""
    client = logbuch.LogbuchClient()
    return {name: sorted(point.step for point in client.get_metric_history(id_, "m")) for name, id_ in found.items()}


WORKERS = """
    import multiprocessing, sys
    import logbuch

    def log(number):
        logbuch.log_metric("worker", float(number), step=number)
        logbuch.log_param("from_worker", "yes")
        print("logs", number)

    def only_print(number):
        print("only prints", number, file=sys.stderr)
        print("without an end", end="")

    if __name__ == "__main__":
        context = multiprocessing.get_context(METHOD)
        with logbuch.start_run(run_name="whole") as run:
            for number, work in enumerate((log, only_print)):
                worker = context.Process(target=work, args=(number,), name=f"helper {number}")
                worker.start()
                worker.join()
                assert worker.exitcode == 0
            assert logbuch.get_run(run.info.run_id).info.status == "RUNNING"
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_what_workers_log_and_print_is_the_runs(tmp_path: Path, method: str) -> None:
    out = program(tmp_path, WORKERS.replace("METHOD", repr(method)))
    assert out == "logs 0\nwithout an end"
    run = runs()["whole"]
    assert len(runs()) == 1
    assert (run.info.status, run.data.metrics, run.data.params) == (
        "FINISHED",
        {"worker": 0.0},
        {"from_worker": "yes"},
    )
    assert heard(tmp_path, run.info.run_id) == [
        ("logs 0", "stdout", "helper 0"),
        ("only prints 1", "stderr", "helper 1"),
        ("without an end", "stdout", "helper 1"),
    ]


KEPT = """
    import concurrent.futures, multiprocessing, threading
    import logbuch

    def work(step):
        logbuch.log_metric("m", float(step), step=step)
        print("step", step)

    if __name__ == "__main__":
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            with logbuch.start_run(run_name="first"):
                pool.submit(work, 0).result()
                with logbuch.start_run(run_name="inner", nested=True):
                    pool.submit(work, 1).result()
                pool.submit(work, 2).result()
            pool.submit(work, 3).result()
            with logbuch.start_run(run_name="second"):
                pool.submit(work, 4).result()
            pool.submit(work, 5).result()
"""


def test_a_worker_that_is_kept_logs_to_the_run_of_the_moment(tmp_path: Path) -> None:
    program(tmp_path, KEPT)
    found = {name: run.info.run_id for name, run in runs().items()}
    wanted = {"first": [0, 2, 3], "inner": [1], "second": [4, 5]}
    assert settled(lambda: steps(found), wanted) == wanted

    def texts() -> dict[str, list[str]]:
        return {name: [text for text, _, _ in heard(tmp_path, run_id)] for name, run_id in found.items()}

    printed = {name: [f"step {step}" for step in logged] for name, logged in wanted.items()}
    assert settled(texts, printed) == printed


JOBLIB = """
    import joblib
    import logbuch

    def work(step):
        logbuch.log_metric("m", float(step), step=step)
        print("step", step)

    with logbuch.start_run(run_name="first"):
        joblib.Parallel(n_jobs=2)(joblib.delayed(work)(step) for step in range(4))
    with logbuch.start_run(run_name="second"):
        joblib.Parallel(n_jobs=2)(joblib.delayed(work)(step) for step in range(4, 6))
"""


def test_workers_of_joblib_log_to_the_run_and_then_to_the_next(tmp_path: Path) -> None:
    program(tmp_path, JOBLIB)
    found = {name: run.info.run_id for name, run in runs().items()}
    wanted = {"first": [0, 1, 2, 3], "second": [4, 5]}
    assert settled(lambda: steps(found), wanted) == wanted

    def lines() -> list[tuple[str, str]]:
        return sorted((text, source.partition("-")[0]) for text, _, source in heard(tmp_path, found["second"]))

    printed = [("step 4", "LokyProcess"), ("step 5", "LokyProcess")]
    assert settled(lines, printed) == printed


POOL = """
    import multiprocessing
    import logbuch

    def work(step):
        logbuch.log_metric("m", float(step), step=step)

    if __name__ == "__main__":
        with logbuch.start_run(run_name="pooled"):
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                pool.map(work, range(100))
"""


def test_a_pool_that_is_terminated_loses_nothing(tmp_path: Path) -> None:
    program(tmp_path, POOL)
    run = runs()["pooled"]
    wanted = {"pooled": list(range(100))}
    assert settled(lambda: steps({"pooled": run.info.run_id}), wanted) == wanted
    assert run.info.status == "FINISHED"


OWN = """
    import multiprocessing, os
    import logbuch

    def own(number):
        with logbuch.start_run(run_name=f"own {number}"):
            logbuch.log_metric("m", 1.0)
        with logbuch.start_run(run_name=f"child {number}", nested=True):
            pass
        logbuch.log_metric("around", 2.0)
        print("after its own")

    def joined(run_id, environment):
        if environment:
            os.environ["LOGBUCH_RUN_ID"] = run_id
        with logbuch.start_run(None if environment else run_id, tags={"worker": "joined"}) as run:
            assert run.info.run_id == run_id
            logbuch.log_metric("joined", 3.0, step=environment)

    def early():
        logbuch.start_run(run_name="early")
        logbuch.log_metric("m", 1.0)

    if __name__ == "__main__":
        logbuch.set_tracking_uri(os.path.abspath("elsewhere"))
        logbuch.set_experiment("search")
        context = multiprocessing.get_context("spawn")

        def do(work, *given):
            worker = context.Process(target=work, args=given)
            worker.start()
            worker.join()
            assert worker.exitcode == 0

        do(early)
        with logbuch.start_run(run_name="whole") as run:
            do(own, 0)
            for environment in (0, 1):
                do(joined, run.info.run_id, environment)
                assert logbuch.get_run(run.info.run_id).info.status == "RUNNING"
            print("still heard")
"""


def test_a_workers_own_runs_go_where_those_of_its_starter_do(tmp_path: Path) -> None:
    program(tmp_path, OWN)
    assert not (tmp_path / ".logbuch").exists()
    logbuch.set_tracking_uri(tmp_path / "elsewhere")
    found = runs("search")
    assert sorted(found) == ["child 0", "early", "own 0", "whole"]
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    whole = found["whole"]
    assert found["child 0"].data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert "mlflow.parentRunId" not in found["own 0"].data.tags
    assert whole.data.metrics == {"around": 2.0, "joined": 3.0}
    assert whole.data.tags["worker"] == "joined"
    (tmp_path / "elsewhere").rename(tmp_path / ".logbuch")
    assert [text for text, _, _ in heard(tmp_path, whole.info.run_id)] == ["after its own", "still heard"]


def test_the_file_that_names_the_run_holds_no_credentials_and_goes_with_the_process(tmp_path: Path) -> None:
    program(
        tmp_path,
        """
        import os, stat
        import logbuch
        from logbuch.sdk import workers

        logbuch.set_tracking_uri("http://user:secret@127.0.0.1:9")
        with logbuch.start_run():
            path = workers._said["path"]
            text = open(path).read()
            assert "secret" not in text and '"http://127.0.0.1:9"' in text and '"active":true' in text
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            assert workers._said["uri"] == "http://user:secret@127.0.0.1:9"
        assert '"active":false' in open(path).read()
        open("path", "w").write(path)
        """,
        LOGBUCH_FINISH_TIMEOUT="0.1",
    )
    assert not Path((tmp_path / "path").read_text()).exists()


def test_a_run_begins_where_no_file_can_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with logbuch.start_run() as run:
        logbuch.log_metric("m", 1.0)
    assert "path" not in workers._said
    assert logbuch.get_run(run.info.run_id).data.metrics == {"m": 1.0}


def test_what_killed_processes_have_left_the_next_takes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not what is told by one that lives."""
    folder, temporary = tmp_path / "work", tmp_path / "temporary"
    for made in (folder, temporary):
        made.mkdir()
    script = """
    import os, signal, sys
    import logbuch
    logbuch.start_run()
    if os.environ.get("HOW"):
        print("begun", flush=True)
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    (folder / "one.py").write_text(textwrap.dedent(script))
    environment = os.environ | {"TMPDIR": str(temporary), "LOGBUCH_QUIET": "1", "HOW": "killed"}
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": folder, "env": environment}
    dead, alive = (subprocess.Popen([sys.executable, "one.py"], **pipes) for _ in range(2))
    kept = []
    for process in (dead, alive):
        assert process.stdout.readline() == b"begun\n"
    try:
        dead.communicate(b"")
        for path in temporary.iterdir():
            os.utime(path, (1, 1))
            kept.append(path)
        assert len(kept) == 2
        program(folder, script, TMPDIR=str(temporary))
        (left,) = temporary.iterdir()
        assert (left / "run.json").exists()
        assert left in kept
    finally:
        alive.communicate(b"")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    cardfolder.tidy()
    assert list(temporary.iterdir()) == []


def test_what_only_looks_like_such_a_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "logbuch-run-file").write_text("")
    (tmp_path / "logbuch-run-link").symlink_to(other)
    (tmp_path / "logbuch-run-old").mkdir()
    mine = cardfolder.make()
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1), follow_symlinks=False)
    (tmp_path / "logbuch-run-young").mkdir()
    cardfolder.tidy()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"other", "logbuch-run-file", "logbuch-run-link", "logbuch-run-young", mine.name}
    cardfolder.clear(os.getpid() + 1, mine)
    assert mine.exists()
    cardfolder.clear(os.getpid(), mine)
    assert not mine.exists()


def pythons() -> list[str]:
    """The Python of these tests, and others on the machine that Logbuch runs on."""
    others = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"))
    return [sys.executable, *(str(path) for path in others if int(path.parts[-3].split(".")[1]) >= 11)]


@pytest.mark.parametrize("python", pythons())
def test_a_process_that_is_spawned_gets_what_the_configuration_of_its_starter_holds(
    tmp_path: Path, python: str
) -> None:
    """What :mod:`logbuch.sdk.workers` relies on of multiprocessing, which promises it to nobody."""
    script = tmp_path / "words.py"
    script.write_text(
        textwrap.dedent("""
        import multiprocessing, os, sys
        from multiprocessing.process import current_process

        heard = []

        def arrive(said):
            heard.append(said)
            return Word()

        class Word:
            def __reduce__(self):
                return arrive, (os.getpid() if not heard else heard[0],)

        def below(queue):
            queue.put(heard)

        def work(queue):
            queue.put(heard)
            child = multiprocessing.get_context("spawn").Process(target=below, args=(queue,))
            child.start(), child.join()

        if __name__ == "__main__":
            current_process()._config["words"] = Word()
            for method in ("spawn", "forkserver"):
                context = multiprocessing.get_context(method)
                queue = context.Queue()
                worker = context.Process(target=work, args=(queue,))
                worker.start()
                assert queue.get() == [os.getpid()], method
                assert queue.get() == [os.getpid()], method
                worker.join()
            print("heard")
        """)
    )
    command = [python, "-I", "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout == "heard\n", done.stderr
