"""Trainings that are read back from a live tracker, resumed, interrupted."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import logbuch
from storyteller import optim, weights
from storyteller.config import Config, TrainingConfig
from storyteller.data.tokens import corpus
from storyteller.data.windows import Windows
from storyteller.devices import Device
from storyteller.errors import TrainingError
from storyteller.evaluation import evaluate
from storyteller.generation import Sampling, generate
from storyteller.stopping import Terminated
from storyteller.train import train
from support import readback
from support.storytelling import only

TRAIN = "loss learning_rate grad_norm tokens_per_second mfu tokens epoch memory_gb bits_per_byte".split()
NAMES = {
    *(f"train/{name}" for name in TRAIN), "val/loss", "val/perplexity", "val/bits_per_byte", "val/best_loss",
    "story/distinct_1", "story/distinct_2", "story/distinct_3", "story/repetition", "story/length", "story/vocabulary",
}  # fmt: skip
NAMES_OF_EXPERTS = {
    "moe/layer_1_balance", "moe/layer_1_entropy", "moe/layer_1_dropped", "val/moe_loss",
    "train/moe_load_balance_loss", "train/moe_z_loss",
}  # fmt: skip


@pytest.mark.parametrize("use_moe", [False, True])
def test_all_of_a_training_is_read_back(told: Callable[..., Config], tmp_path: Path, use_moe: bool) -> None:
    logbuch.set_system_metrics_sampling_interval(0.1)  # even if all of it takes less than a second
    chosen = told(use_moe=use_moe, num_experts=4)
    result = train(chosen)
    run = only(tmp_path)
    assert run.info.run_id == result.run_id
    assert (run.info.status, run.info.run_name) == ("FINISHED", "ultra_tiny")

    loss = readback.points(run, "train/loss")
    assert [step for step, _ in loss] == list(range(1, 13))
    assert loss[-1][1] < 0.8 * loss[0][1]
    for key in TRAIN:
        values = [value for _, value in readback.points(run, f"train/{key}")]
        assert len(values) == 12 and all(value >= 0 for value in values), key
    assert readback.points(run, "train/tokens")[-1][1] == 12 * 8 * 32
    assert readback.steps(run, "val/loss") == [4, 8, 12]
    assert readback.points(run, "val/loss")[-1][1] == result.val_loss
    assert readback.steps(run, "story/distinct_1") == [12]
    own = {key for key in run.data.metrics if not key.startswith("system/")}
    assert own == (NAMES | NAMES_OF_EXPERTS if use_moe else NAMES)
    assert any(key.startswith("system/") for key in run.data.metrics)

    params = run.data.params
    assert (params["device"], params["use_amp"], params["amp_dtype"]) == ("cpu", "False", "float32")
    assert (params["hidden_size"], params["learning_rate"], params["batch_size"]) == ("32", "0.01", "8")
    assert (params["total_parameters"] == params["active_parameters"]) is not use_moe
    assert len(run.data.tags["storyteller.train_sha256"]) == 64
    assert readback.text(run, "samples/step_00000012.txt").startswith(chosen.generation.prompts[0])

    asked = {"max_new_tokens": 9, "temperature": 0.0}
    loaded = logbuch.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    ours = weights.load(result.folder)
    direct = generate(ours.model, ours.tokenizer, "a cat", Sampling(max_new_tokens=9, temperature=0.0))
    assert loaded.predict(["a cat"], asked) == [direct]
    assert {spec.name for spec in loaded.metadata.signature.params} >= {"max_new_tokens", "temperature", "top_p"}


@pytest.mark.parametrize(
    "flags",
    [
        {"use_moe": True, "num_experts": 4, "dropout": 0.1},
        {"dropout": 0.2, "training": ("training.optimizer=muon", "training.schedule=wsd")},
    ],
)
def test_a_resumed_training_equals_the_uninterrupted_one(
    told: Callable[..., Config], tmp_path: Path, flags: dict[str, Any]
) -> None:
    flags = dict(flags)
    more = ("training.use_mlflow=false", "training.gradient_accumulation_steps=2", *flags.pop("training", ()))
    whole = told(*more, output="whole", **flags)
    train(whole)
    parts = told(*more, output="parts", **flags)
    train(parts)
    # As if the training had ended after its second checkpoint.
    for name in ("step_00000012", "model", "best"):
        subprocess.run(["rm", "-r", str(tmp_path / "parts" / name)], check=True)
    train(parts, "latest")
    for name in ("step_00000012/model.safetensors", "step_00000012/progress.json", "model/model.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_a_resumed_training_goes_on_in_its_run(told: Callable[..., Config], tmp_path: Path) -> None:
    chosen = told("training.keep_checkpoints=2")
    first = train(chosen)
    assert sorted(place.name for place in (tmp_path / "out").glob("step_*")) == ["step_00000008", "step_00000012"]
    again = train(chosen, str(tmp_path / "out" / "step_00000008"))
    assert again.run_id == first.run_id
    run = only(tmp_path)
    curve: dict[int, set[float]] = {}
    for step, value in readback.points(run, "train/loss"):
        curve.setdefault(step, set()).add(value)
    assert sorted(curve) == list(range(1, 13))
    assert all(len(values) == 1 for values in curve.values())  # steps 9 to 12 came twice, and equal
    assert again.val_loss == first.val_loss


def test_accumulated_batches_equal_a_large_one(told: Callable[..., Config], tmp_path: Path) -> None:
    """The first step, for later ones carry the rounding of the one before on."""
    one = "training.max_steps=1"
    train(told(one, "training.batch_size=12", output="large"))
    train(told(one, "training.batch_size=4", "training.gradient_accumulation_steps=3", output="small"))
    found = logbuch.get_experiment_by_name(str(tmp_path))
    large, small = (run.data.metrics for run in readback.runs(found.experiment_id))
    for key in ("train/loss", "train/grad_norm", "train/tokens"):
        assert small[key] == pytest.approx(large[key], rel=1e-5)


def test_an_epoch_ends_with_what_is_left(told: Callable[..., Config]) -> None:
    """Its last step has fewer windows, which count by their tokens; the schedule ends there."""
    chosen = told(
        "training.use_mlflow=false", "training.max_steps=0", "training.num_epochs=1", "training.batch_size=64"
    )
    result = train(chosen)
    folder = result.folder.parent / f"step_{result.steps:08d}"
    progress = json.loads((folder / "progress.json").read_text())
    words = corpus(Path(chosen.data.train_file), weights.load(folder).tokenizer, result.folder.parent / "cache")
    windows = len(Windows(words, 32, 42).starts(0))
    assert windows % 64 and result.steps == -(-windows // 64)
    assert (progress["epoch"], progress["taken"]) == (0, windows)
    assert progress["tokens"] >= len(words.tokens) - 1


def test_the_best_weights_are_kept_and_patience_ends(told: Callable[..., Config], tmp_path: Path) -> None:
    chosen = told(
        "training.use_mlflow=false",
        "training.max_steps=200",
        "training.evaluation.every=2",
        "training.evaluation.early_stop_patience=2",
        "training.learning_rate=0.5",
        "training.max_grad_norm=0",
        "training.evaluation.batches=2",
    )
    result = train(chosen)
    assert result.steps < 200
    assert (tmp_path / "out" / "best" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("sign", "ends", "saved"), [(signal.SIGTERM, Terminated, True), (signal.SIGINT, KeyboardInterrupt, False)]
)
def test_signals_end_a_run_as_killed(
    told: Callable[..., Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sign: signal.Signals,
    ends: type[BaseException],
    saved: bool,
) -> None:
    """The signal comes in the middle of step 3; SIGTERM leaves a checkpoint, from which the same training comes."""
    whole = train(told("training.use_mlflow=false", output="whole"))
    chosen = told("training.save_every=0")
    with monkeypatch.context() as patched:
        patched.setattr("storyteller.report.Report.step", lambda _, step: signal.raise_signal(sign) if step == 3 else 0)
        with pytest.raises(ends) as ended:
            train(chosen)
    assert getattr(ended.value, "code", 143) == 143
    assert only(tmp_path).info.status == "KILLED"
    assert [place.name for place in (tmp_path / "out").glob("step_*")] == (["step_00000003"] if saved else [])
    if saved:
        assert train(chosen, "latest").val_loss == whole.val_loss
        assert only(tmp_path).info.status == "FINISHED"


@pytest.mark.parametrize(
    ("schedule", "steps", "expected"),
    [
        ("cosine", [0, 9, 10, 55, 100], [0.1, 1.0, 1.0, 0.55, 0.1]),
        ("wsd", [4, 10, 80, 90, 100], [0.5, 1.0, 1.0, 0.55, 0.1]),
        ("constant", [0, 50, 100], [0.1, 1.0, 1.0]),
    ],
)
def test_schedules(schedule: Any, steps: list[int], expected: list[float]) -> None:
    chosen = TrainingConfig(schedule=schedule, warmup_steps=10)
    assert [optim.scale(chosen, step, 100) for step in steps] == pytest.approx(expected)


def test_validation_is_repeatable(told: Callable[..., Config], stories: Path, tmp_path: Path) -> None:
    chosen = told("training.use_mlflow=false", "training.max_steps=2", dropout=0.3)
    result = train(chosen)
    loaded = weights.load(result.folder)
    windows = Windows(corpus(stories / "val.jsonl", loaded.tokenizer, tmp_path / "cache"), 32, shuffle=False)
    device = Device(torch.device("cpu"), None, False)
    found = [evaluate(loaded.model, windows, chosen, device) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0]["val/loss"] == pytest.approx(result.val_loss, rel=1e-6)


def test_a_loss_that_is_no_number_ends_the_run(told: Callable[..., Config], tmp_path: Path) -> None:
    chosen = told("training.learning_rate=1e30", "training.max_grad_norm=0", "training.save_every=0")
    with pytest.raises(TrainingError, match=r"The loss is (nan|inf) at step \d+: lower training.learning_rate"):
        train(chosen)
    run = only(tmp_path)
    assert run.info.status == "FAILED"
    assert re.search("lower training.learning_rate", run.data.tags["logbuch.error"])
