"""What all of ``autolog`` has in common: with every library, with a server, without one, with a broken tracker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import logbuch
from support import trainings
from support.ports import free_port
from support.readback import runs
from support.servers import Server

LIBRARIES = pytest.mark.parametrize("name", trainings.ALL)
SEEN = {
    "sklearn": "training_score",
    "xgboost": "train-logloss",
    "lightgbm": "train-binary_logloss",
    "transformers": "train/loss",
    "lightning": "train_loss",
    "keras": "accuracy",
}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


@LIBRARIES
def test_a_training_is_a_run_and_stays_the_same(name: str, experiment: str) -> None:
    plain = trainings.ALL[name]()
    assert runs(experiment) == []
    logbuch.autolog(extra_tags={"team": "trees"})
    logbuch.autolog(extra_tags={"team": "trees"})  # nothing is logged twice
    assert trainings.ALL[name]() == plain
    (run,) = runs(experiment)
    assert run.info.status == "FINISHED"
    assert SEEN[name] in run.data.metrics
    assert run.data.params
    assert run.data.tags["team"] == "trees"
    logbuch.autolog(disable=True)
    assert trainings.ALL[name]() == plain
    assert len(runs(experiment)) == 1


@LIBRARIES
def test_it_joins_the_active_run(name: str, experiment: str) -> None:
    logbuch.autolog()
    with logbuch.start_run() as mine:
        trainings.ALL[name]()
        active = logbuch.active_run()
        assert active is not None and active.info.run_id == mine.info.run_id
    (run,) = runs(experiment)
    assert SEEN[name] in run.data.metrics


@pytest.mark.slow
def test_without_a_server_all_train_and_it_arrives_later(tmp_path: Path) -> None:
    plain = {name: train() for name, train in trainings.ALL.items()}
    port = free_port()
    logbuch.set_tracking_uri(f"http://127.0.0.1:{port}")
    logbuch.autolog()
    begun = {}
    for name, train in trainings.ALL.items():
        with logbuch.start_run(run_name=name) as run:
            assert train() == plain[name]
        begun[name] = run.info.run_id
    server = Server(tmp_path, f"sqlite:///{tmp_path}/l.db", port=port).start()
    try:
        assert logbuch.flush(60)
        for name, run_id in begun.items():
            found = logbuch.get_run(run_id)
            assert (found.info.run_name, found.info.status) == (name, "FINISHED")
            assert SEEN[name] in found.data.metrics
    finally:
        server.stop()


@LIBRARIES
def test_a_broken_tracker_is_said_once_and_hurts_no_training(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = trainings.ALL[name]()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the tracker is broken")

    for call in ("log_metrics", "log_params", "log_text", "log_dict", "log_input", "start_run"):
        monkeypatch.setattr(logbuch, call, broken)
    logbuch.autolog()
    assert trainings.ALL[name]() == plain
    assert trainings.ALL[name]() == plain
    messages = [record.getMessage() for record in caplog.records if record.name == "logbuch"]
    assert messages == ["the training could not be logged: RuntimeError: the tracker is broken"]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("sklearn", "sklearn.linear_model._logistic._logistic_regression_path"),
        ("xgboost", "xgboost.training.CallbackContainer"),
        ("lightgbm", "lightgbm.engine.Booster.update"),
        ("transformers", "transformers.Trainer.training_step"),
        ("keras", "keras.src.backend.torch.trainer.TorchTrainer.train_step"),
        ("lightning", "lightning.pytorch.trainer.trainer.Trainer._run_stage"),
    ],
)
def test_an_exception_passes_and_fails_the_run(
    name: str, place: str, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    logbuch.autolog()
    monkeypatch.setattr(place, boom)
    with pytest.raises(ZeroDivisionError, match="boom"):
        trainings.ALL[name]()
    (run,) = runs(experiment)
    assert run.info.status == "FAILED"
    assert "ZeroDivisionError: boom" in run.data.tags["logbuch.error"]
    assert logbuch.active_run() is None


def test_it_imports_nothing_and_turns_on_what_comes_later() -> None:
    code = """
import sys, logbuch
before = list(sys.meta_path)
logbuch.autolog()
assert not {"sklearn", "torch", "transformers", "xgboost", "lightgbm", "numpy"} & set(sys.modules)
from sklearn.linear_model import LogisticRegression
from sklearn.base import BaseEstimator
assert hasattr(LogisticRegression.fit, "__logbuch_patch__")
from sklearn.neighbors import KNeighborsClassifier
assert hasattr(KNeighborsClassifier.fit, "__logbuch_patch__")
logbuch.autolog(disable=True)
assert sys.meta_path == before or set(before) <= set(sys.meta_path)
assert not any(type(finder).__module__.startswith("logbuch") for finder in sys.meta_path)
assert not hasattr(LogisticRegression.fit, "__logbuch_patch__")
assert "__init_subclass__" not in vars(BaseEstimator)
import xgboost
assert not hasattr(xgboost.train, "__logbuch_patch__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_library_may_be_left_out() -> None:
    logbuch.autolog(exclude_flavors=["sklearn"])
    from sklearn.linear_model import LogisticRegression

    assert not hasattr(LogisticRegression.fit, "__logbuch_patch__")
    with pytest.raises(ValueError, match=r"exclude_flavors=….*sklaern"):
        logbuch.autolog(exclude_flavors=["sklaern"])


def test_options_of_mlflow_are_taken_and_unknown_ones_are_an_error(caplog: pytest.LogCaptureFixture) -> None:
    logbuch.autolog(silent=True, log_models=False)
    assert not caplog.records
    logbuch.xgboost.autolog(log_input_examples=True)
    assert "logbuch.xgboost.autolog(log_input_examples=True): this option has no effect" in caplog.text
    with pytest.raises(TypeError, match="there is no such option"):
        logbuch.xgboost.autolog(log_modles=True)
