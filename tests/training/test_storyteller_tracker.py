"""No tracker, a dead one, or one that refuses: the training is the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import logbuch
from storyteller.config import Config
from storyteller.train import train
from support import readback
from support.mlflow_server import mlflow_server
from support.ports import free_port
from support.storytelling import only


def test_a_resume_without_a_tracker_does_not_forget_the_run(told: Callable[..., Config], tmp_path: Path) -> None:
    first = train(told("training.max_steps=2", "training.save_every=1"))
    assert train(told("training.max_steps=3", "training.use_mlflow=false"), "latest").run_id == ""
    assert train(told("training.max_steps=4"), "latest").run_id == first.run_id
    assert readback.steps(only(tmp_path), "train/loss") == [1, 2, 4]


@pytest.mark.parametrize("tracker", ["absent", "off", "dead"])
def test_a_training_needs_no_tracker(
    told: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tracker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {
        "absent": "training.seed=42",
        "off": "training.use_mlflow=false",
        "dead": f"training.mlflow_tracking_uri=http://127.0.0.1:{free_port()}",
    }[tracker]
    if tracker == "absent":
        monkeypatch.setitem(sys.modules, "logbuch", None)
    result = train(told(more, "training.max_steps=2"))
    assert result.steps == 2 and (result.folder / "model.safetensors").is_file()
    assert ("Logbuch is not installed" in capsys.readouterr().err) == (tracker == "absent")
    assert bool(result.run_id) == (tracker == "dead")


@pytest.mark.parametrize("wrong", ["scheme", "experiment", "deleted experiment"])
def test_a_tracker_that_refuses_ends_no_training(
    told: Callable[..., Config], tmp_path: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logbuch.delete_experiment(logbuch.create_experiment(f"{tmp_path}, gone"))
    more = {
        "scheme": "training.mlflow_tracking_uri=htp://nonsense",
        "experiment": 'training.mlflow_experiment_name="no\\0name"',
        "deleted experiment": f'training.mlflow_experiment_name="{tmp_path}, gone"',
    }[wrong]
    result = train(told(more, "training.max_steps=2"))
    assert (result.steps, result.run_id) == (2, "") and (result.folder / "model.safetensors").is_file()
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("storyteller: ")]
    assert len(said) == 1 and said[0].startswith("storyteller: the training is not tracked: ")


def test_a_training_whose_run_was_deleted_goes_on_in_a_new_one(
    told: Callable[..., Config], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = train(told("training.max_steps=4"))
    logbuch.delete_run(first.run_id)
    again = train(told("training.max_steps=6"), "latest")
    assert f"storyteller: run {first.run_id} cannot be gone on with" in capsys.readouterr().err
    run = only(tmp_path)
    assert (run.info.run_id, run.info.status) == (again.run_id, "FINISHED")
    assert readback.steps(run, "train/loss") == [5, 6]


def test_what_the_tracker_refuses_later_ends_no_training(
    told: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise logbuch.LogbuchError("it does not want to")

    for call in ("log_params", "log_metrics", "set_tags", "log_text"):
        monkeypatch.setattr(logbuch, call, refuses)
    assert train(told("training.max_steps=2")).steps == 2
    said = capsys.readouterr().err
    for what in ("params were", "metrics were", "tags were", "samples/step_00000002.txt was"):
        assert f"storyteller: {what} not logged: it does not want to" in said


def test_a_stock_mlflow_server_gets_run_and_model(told: Callable[..., Config], tmp_path: Path) -> None:
    with mlflow_server(tmp_path / "mlflow") as stock:
        result = train(told(f"training.mlflow_tracking_uri={stock}", "training.max_steps=2"))
        logbuch.flush()
        answer = httpx.get(f"{stock}/api/2.0/mlflow/runs/get", params={"run_id": result.run_id}, timeout=60)
        run = answer.raise_for_status().json()["run"]
        body = {"experiment_ids": [run["info"]["experiment_id"]]}
        found = httpx.post(f"{stock}/api/2.0/mlflow/logged-models/search", json=body, timeout=60).raise_for_status()
    assert run["info"]["status"] == "FINISHED"
    assert {"train/loss", "train/learning_rate"} <= {metric["key"] for metric in run["data"]["metrics"]}
    assert {"device", "use_amp", "amp_dtype"} <= {param["key"] for param in run["data"]["params"]}
    (model,) = found.json()["models"]
    assert (model["info"]["name"], model["info"]["source_run_id"]) == ("model", result.run_id)
