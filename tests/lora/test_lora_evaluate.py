"""What an evaluation logs: the run of the training stays as it ended, and any category has a metric."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import evaluate
import pytest
import torch
from encoding import Encoded
from evaluate import Subject
from losses import Total
from problems import Problem

import logbuch
from support.fresh import fresh

__all__ = ["fresh"]
KINDS = ["what?", "what!", "all", "a|b", "..", "a/b", "what_", "é é", ""]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    place = str(tmp_path / "store")
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", place)
    logbuch.set_tracking_uri(place)
    logbuch.set_experiment("trained")
    return place


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A row of each category."""
    rows = [{"question": "Q?", "reference_answer": "A.", "metadata": {"question_type": kind}} for kind in KINDS]
    place = tmp_path / "odd (1).jsonl"
    place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(place)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row's loss is 1 by a token, two by row, instead of a network's."""
    model = SimpleNamespace(disable_adapter=nullcontext)
    subject = Subject(model, SimpleNamespace(pad_token_id=0), adapted=True)
    monkeypatch.setattr(evaluate, "load", lambda *_: subject)
    monkeypatch.setattr(
        evaluate, "encode", lambda rows, *_: Encoded([{"input_ids": [], "labels": []}] * len(rows), rows, 0)
    )
    found = SimpleNamespace(items=dict[str, Any]().items)
    monkeypatch.setattr(evaluate, "Collator", lambda _: lambda _: found)
    monkeypatch.setattr(
        evaluate, "row_losses", lambda *_: (torch.full((len(KINDS),), 2.0), torch.full((len(KINDS),), 2))
    )
    monkeypatch.setattr(evaluate, "answer", lambda *given: ["said"] * len(given[2]))


def adapter_of(run_id: str) -> str:
    """The folder that a training leaves, without weights."""
    folder = Path("adapter")
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"run_id": run_id}))
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "nowhere"}))
    begun = {"max_seq_length": 64, "use_4bit": False, "precision": "fp32", "mlflow_experiment_name": "trained"}
    (folder / "training_config.json").write_text(json.dumps(begun))
    return str(folder)


def trained(status: str) -> Any:
    run = logbuch.start_run()
    logbuch.log_metric("eval_loss", 0.5)
    logbuch.end_run(status)
    return logbuch.get_run(run.info.run_id)


@pytest.mark.parametrize("status", ["FINISHED", "KILLED", "FAILED"])
@pytest.mark.usefixtures("no_network")
def test_a_run_stays_as_it_ended(store: str, data: str, status: str) -> None:
    before = trained(status)
    assert evaluate.main([adapter_of(before.info.run_id), "--data", data, "--batch_size", "99"]) == 0
    after = logbuch.get_run(before.info.run_id)
    assert (after.info.status, after.info.end_time) == (status, before.info.end_time)
    assert after.info.start_time == before.info.start_time
    assert after.data.metrics["odd__1_/loss"] == after.data.metrics["odd__1_/base_loss"] == 1.0
    (used,) = after.inputs.dataset_inputs
    assert (used.dataset.name, [(tag.key, tag.value) for tag in used.tags]) == (
        "odd (1).jsonl",
        [("mlflow.data.context", "evaluation")],
    )
    kept = {item.path for item in logbuch.LogbuchClient().list_artifacts(before.info.run_id, "evaluation")}
    assert kept == {"evaluation/odd__1_.md", "evaluation/odd__1_-answers.json"}
    assert logbuch.active_run() is None


def test_an_evaluation_that_fails_leaves_the_run_as_it_was(
    store: str, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise Problem("cannot load the model")

    monkeypatch.setattr(evaluate, "load", fails)
    before = trained("FINISHED")
    assert evaluate.main([adapter_of(before.info.run_id), "--data", data]) == 2
    after = logbuch.get_run(before.info.run_id)
    assert (after.info.status, after.info.end_time) == ("FINISHED", before.info.end_time)
    assert after.data.tags.keys() == before.data.tags.keys()


@pytest.mark.usefixtures("no_network")
def test_an_adapter_whose_run_is_deleted_has_one_of_its_own(
    store: str, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = trained("FINISHED")
    logbuch.delete_run(before.info.run_id)
    assert evaluate.main([adapter_of(before.info.run_id), "--data", data, "--batch_size", "99"]) == 0
    (run,) = logbuch.search_runs(experiment_names=["trained"], output_format="list")
    assert (run.info.run_name, run.info.status) == ("adapter-evaluation", "FINISHED")
    assert run.data.metrics["odd__1_/loss"] == 1.0
    assert f"run {before.info.run_id} is not there any more" in capsys.readouterr().out


@pytest.mark.usefixtures("no_network")
def test_any_category_has_a_metric_of_its_own(store: str, data: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = trained("FINISHED")
    assert evaluate.main([adapter_of(before.info.run_id), "--data", data, "--batch_size", "99"]) == 0
    said = capsys.readouterr().out
    found = logbuch.get_run(before.info.run_id).data.metrics
    kinds = {key.split("/")[1] for key in found if key.count("/") == 2}
    assert kinds == {"what_", "what__2", "what__3", "all", "a_b", "a_b_2", "_", "é_é", "other"}
    assert "Warning" not in said
    assert "| a\\|b | 2 |" in said and "| all | 18 |" in said


def test_long_categories_are_cut_and_stay_apart() -> None:
    names = evaluate.name_parts({"x" * 300 + end for end in "ab"})
    assert sorted(names.values()) == ["x" * 80, "x" * 80 + "_2"]
    one = Total(2.0, 2)
    found = evaluate.metrics("y" * 300, {"adapter": {evaluate.ALL: one, **dict.fromkeys(names, one)}})
    assert max(map(len, found)) < 250


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["--limit", "0"], "argument --limit: 0 is less than 1"),
        (["--batch_size", "none"], "argument --batch_size: invalid int value: 'none'"),
        (["--too_long", "cut"], "argument --too_long: invalid choice: 'cut'"),
    ],
)
def test_wrong_options_are_one_line(given: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        evaluate.main(["adapter", *given])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and reason in line
