"""``logbuch models serve``, ``predict`` and ``export`` as users start them, with a scikit-learn model in a tracker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

import logbuch
from support.ports import free_port
from support.serving import START_SECONDS, Scoring, launch
from support.waiting import wait_until

pytestmark = pytest.mark.slow
BODY = {"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [3, 5.5]]}}
TRAINING = """
import json, time
import logbuch, numpy as np, pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression

frame = pd.DataFrame({"x": [1.0, 2, 3], "y": [2.0, 1, 5.5]})
fitted = LinearRegression().fit(frame, [1, 2, 3])
with logbuch.start_run() as run:
    logbuch.sklearn.log_model(fitted, name="model", input_example=frame, registered_model_name="reg")
    changed = {"registered_model_name": "changed", "pip_requirements": ["other"]}
    logbuch.sklearn.log_model(fitted, name="changed", **changed)
    logbuch.log_text("weights", "lora_adapter/adapter_model.safetensors")
client = logbuch.LogbuchClient()
client.set_registered_model_alias("reg", "champion", 1)
client.transition_model_version_stage("reg", 1, "Production")
direct = fitted.predict(pd.DataFrame({"x": [1.0, 3], "y": [2.0, 5.5]})).tolist()
print(json.dumps({"run": run.info.run_id, "direct": direct}))
"""


def endless(model_input: Any) -> Any:
    import threading

    threading.Event().wait()


@dataclass
class Tracker:
    """A folder that holds a tracker with one model."""

    folder: Path
    run_id: str
    direct: list[float]

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_"))}
        return kept | {"LOGBUCH_QUIET": "true"}

    def call(self, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "logbuch", "models", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, input=given, capture_output=True, timeout=120, check=False
        )


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    folder = tmp_path_factory.mktemp("tracker")
    made = Tracker(folder, "", [])
    done = subprocess.run(
        [sys.executable, "-c", TRAINING], cwd=folder, env=made.environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return Tracker(folder, found["run"], found["direct"])


def start(tracker: Tracker, *arguments: str) -> Scoring:
    return launch(tracker.folder, tracker.environment, *arguments).wait()


@pytest.fixture(scope="module")
def scoring(tracker: Tracker) -> Iterator[Scoring]:
    started = start(tracker, "-m", f"runs:/{tracker.run_id}/model")
    yield started
    assert started.end() == 0


def test_answers_are_those_of_the_model(scoring: Scoring, tracker: Tracker) -> None:
    assert scoring.post(BODY).json() == {"predictions": tracker.direct}
    csv = httpx.post(f"{scoring.url}/invocations", content="x,y\n1,2\n3,5.5\n", headers={"content-type": "text/csv"})
    assert csv.json() == {"predictions": tracker.direct}


def test_many_clients_at_once(scoring: Scoring, tracker: Tracker) -> None:
    bodies = [{"dataframe_records": [{"x": n, "y": 2 * n}]} for n in range(200)]
    alone = [scoring.post(body).json()["predictions"][0] for body in bodies[:20]]
    with ThreadPoolExecutor(16) as threads:
        answers = [answer.json()["predictions"][0] for answer in threads.map(scoring.post, bodies)]
    assert answers[:20] == pytest.approx(alone, rel=1e-12)
    assert answers == pytest.approx(
        [answers[0] + n * (answers[1] - answers[0]) for n in range(200)], rel=1e-9, abs=1e-9
    )


def test_bad_input_names_the_column(scoring: Scoring) -> None:
    answer = scoring.post({"dataframe_records": [{"x": 1, "y": "much"}]})
    assert (answer.status_code, answer.json()["message"]) == (400, "Column 'y', row 0: 'much' is no double.")


@pytest.mark.parametrize("address", ["models:/reg/1", "models:/reg@champion", "models:/reg/Production"])
def test_predict_takes_every_address(tracker: Tracker, tmp_path: Path, address: str) -> None:
    (tmp_path / "in.json").write_text(json.dumps(BODY))
    done = tracker.call("predict", "-m", address, "-i", str(tmp_path / "in.json"), "-o", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text()) == {"predictions": tracker.direct}


def test_predict_from_standard_input(tracker: Tracker) -> None:
    done = tracker.call("predict", "-m", f"runs:/{tracker.run_id}/model", "-t", "csv", given=b"x,y\n1,2\n3,5.5\n")
    assert json.loads(done.stdout) == {"predictions": tracker.direct}


def test_what_is_wrong_is_one_line(tracker: Tracker) -> None:
    for arguments in (
        ("predict", "-m", "models:/nothing/1"),
        ("predict", "-m", "runs:/" + "0" * 32 + "/model"),
        ("serve", "-m", "no/such/folder"),
        ("predict", "-m", "models:/reg/1", "-i", __file__),
    ):
        done = tracker.call(*arguments, given=b"{}")
        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def pickled(tmp_path: Path) -> Path:
    """A model as MLflow pickles it, whose pickle writes a file when it is loaded."""
    place = tmp_path / "hostile"
    place.mkdir()
    (place / "MLmodel").write_text(
        "flavors:\n  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl}\n"
        "  sklearn: {pickled_model: model.pkl, serialization_format: pickle}\n"
    )
    marker = str(tmp_path / "written").encode()
    (place / "model.pkl").write_bytes(b"cbuiltins\nopen\n(V" + marker + b"\nVw\ntR.")
    return place


def test_a_model_that_needs_pickle_is_refused_and_runs_nothing(tracker: Tracker, tmp_path: Path) -> None:
    place = pickled(tmp_path)
    for command in ("serve", "predict"):
        done = tracker.call(command, "-m", str(place), given=b"{}")
        assert done.returncode == 1
        assert b"--allow-pickle" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "written").exists()


def test_a_pickle_that_is_allowed_is_named_by_its_digest(tracker: Tracker, tmp_path: Path) -> None:
    from logbuch.models import digest

    place = pickled(tmp_path)
    done = tracker.call("predict", "-m", str(place), "--allow-pickle", given=b"{}")
    assert f"Trusted {digest(place)}".encode() in done.stderr
    assert (tmp_path / "written").exists()


def test_requests_under_way_are_answered_before_the_end(tracker: Tracker) -> None:
    scoring = start(tracker, "-m", "models:/reg/1", "--batch-window-ms", "1000")
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(scoring.post, BODY)
        eventually(scoring, lambda: "logbuch_serving_waiting_requests 1.0" in numbers(scoring) or asked.done())
        assert scoring.end() == 0
        assert asked.result().json() == {"predictions": tracker.direct}


def test_a_prediction_without_end_does_not_keep_the_server(tracker: Tracker, tmp_path: Path) -> None:
    logbuch.pyfunc.save_model(tmp_path / "endless", python_model=endless)
    scoring = start(tracker, "-m", str(tmp_path / "endless"), "--allow-pickle", "--timeout", "0.1")
    assert scoring.post(BODY).status_code == 504
    assert scoring.end() == 0


@pytest.mark.parametrize("manager", ["local", "uv"])
def test_a_port_that_is_taken_is_told_before_anything_is_fetched(tracker: Tracker, manager: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = tracker.call("serve", "-m", "models:/nothing/1", "-p", port, "--env-manager", manager)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        f"logbuch: Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another address or --port."
    ]


def test_what_was_changed_since_it_was_logged_is_neither_exported_nor_installed(
    tracker: Tracker, tmp_path: Path
) -> None:
    (kept,) = (file for file in tracker.folder.rglob("requirements.txt") if "other" in file.read_text())
    kept.write_text("no-such-package-at-all\n")
    for arguments in (("export", str(tmp_path / "out")), ("predict", "--env-manager", "uv")):
        done = tracker.call(*arguments, "-m", "models:/changed/1", given=b"{}")
        assert done.returncode == 1
        (line,) = done.stderr.decode().splitlines()
        assert "'models:/changed/1' is not what was logged" in line
    assert not (tmp_path / "out").exists()


def numbers(scoring: Scoring) -> str:
    return httpx.get(f"{scoring.url}/metrics", timeout=60).text


def eventually(scoring: Scoring, happened: Callable[[], object]) -> None:
    wait_until(happened, bool, scoring.process, scoring.log.read_text, seconds=START_SECONDS)


def holds(folder: Path, name: str) -> bool:
    """Whether a file of this name is below a folder; others may remove from it what is just looked at."""
    return any(name in files for _, _, files in os.walk(folder))


@pytest.mark.parametrize("moment", ["begun", "fetched", "served"])
def test_whenever_it_is_ended_it_leaves_nothing(tracker: Tracker, tmp_path: Path, moment: str) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    scoring = launch(tracker.folder, tracker.environment | {"TMPDIR": str(scratch)}, "-m", "models:/reg/1")
    if moment == "fetched":
        eventually(scoring, lambda: holds(scratch, "MLmodel") or scoring.process.poll() is not None)
    elif moment == "served":
        scoring.wait()
    assert scoring.end() in ((0,) if moment == "served" else (0, -signal.SIGTERM))
    assert "Traceback" not in scoring.log.read_text()
    assert list(scratch.iterdir()) == []


def test_workers_answer_for_each_other_and_are_replaced(tracker: Tracker) -> None:
    scoring = start(tracker, "-m", "models:/reg/1", "--workers", "2")
    try:
        for _ in range(10):
            assert scoring.post(BODY).status_code == 200
        assert 'logbuch_serving_requests_total{status="200"} 10.0' in numbers(scoring)
        first = workers(scoring)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        eventually(scoring, lambda: len(set(workers(scoring)) - set(first)) == 1)
        assert scoring.post(BODY).json() == {"predictions": tracker.direct}
        assert "A worker ended with code -9" in scoring.log.read_text()
    finally:
        assert scoring.end() == 0


def workers(scoring: Scoring) -> list[int]:
    return [child.pid for child in psutil.Process(scoring.process.pid).children()]


def test_workers_that_cannot_load_the_model_end_the_server(tracker: Tracker, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors:\n  lightgbm: {data: model.lgb}\n")
    (tmp_path / "model.lgb").write_text("damaged")
    done = tracker.call("serve", "-m", str(tmp_path), "--workers", "2", "-p", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.count(b"The model cannot be loaded") >= 1
    assert b"Traceback" not in done.stderr


def test_a_fresh_environment_serves(tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    scoring = start(tracker, "-m", "models:/reg/1", "--env-manager", "uv")
    assert scoring.post(BODY).json()["predictions"] == pytest.approx(tracker.direct, rel=1e-12)
    assert scoring.end() == 0


def test_export(tracker: Tracker, tmp_path: Path) -> None:
    done = tracker.call("export", "-m", "models:/reg@champion", str(tmp_path / "out"), "--image-context")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"model", "requirements.txt", "start.sh", "Dockerfile"}
    assert b"Warning" not in done.stderr


def test_an_export_that_needs_pickle_says_so(tracker: Tracker, tmp_path: Path) -> None:
    place = pickled(tmp_path)
    (place / "requirements.txt").write_text("scikit-learn\n")
    done = tracker.call("export", "-m", str(place), str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert b"Warning: scikit-learn's estimator is pickled in model.pkl" in done.stderr
    assert not (tmp_path / "written").exists()


def test_an_adapter_comes_to_vllm_as_the_path_that_one_command_prints(tracker: Tracker, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "logbuch", "artifacts", "download", "-r", tracker.run_id, "-a", "lora_adapter"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path)], cwd=tracker.folder, env=tracker.environment, capture_output=True, text=True
    )
    assert [path.name for path in Path(done.stdout.strip()).iterdir()] == ["adapter_model.safetensors"]
