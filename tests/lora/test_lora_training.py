"""Trainings from end to end: what is logged and saved, resuming, and everything that can be wrong."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import train_lora
from safetensors.torch import load_file
from trainer import LoraTrainer

import logbuch
from support.fresh import fresh
from support.readback import points, steps, text
from support.servers import Server

__all__ = ["fresh"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.slow,
]
QUICK = (
    "--max_steps 8 --eval_steps 4 --save_steps 4 --warmup_steps 1 --per_device_train_batch_size 2 --precision fp32 "
    "--gradient_accumulation_steps 2 --learning_rate 1e-2 --max_seq_length 512 --sample_count 1 --sample_tokens 4"
).split()
SEEDS_PARAMS = set(
    "model_name lora_rank lora_alpha lora_dropout lora_target_modules effective_scaling learning_rate batch_size "
    "gradient_accumulation_steps effective_batch_size num_epochs max_seq_length use_4bit use_gradient_checkpointing "
    "warmup_steps lr_scheduler total_parameters trainable_parameters trainable_percentage".split()
)
SEEDS_METRICS = {
    "train/loss", "train/grad_norm", "train/learning_rate", "eval/loss", "epoch", "final_train_loss", "final_eval_loss",
    "final_perplexity", "train_runtime_seconds", "samples_per_second",
}  # fmt: skip

MORE_PARAMS = set(
    "weight_decay max_grad_norm max_steps optimizer precision device packing seed data_sha256 train_rows "
    "validation_rows dropped_rows train_tokens learned_tokens".split()
)
MORE_METRICS = {
    "train/tokens_per_second", "train/samples_per_second", "train/peak_memory_megabytes", "eval/perplexity",
    "eval/runtime", "base_eval_loss", "base_perplexity",
}  # fmt: skip


@pytest.fixture
def start(material: Any, shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Trains as the command does, and gives its exit code."""
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", shared_server.url)

    def run(*options: object, data: Path | None = None) -> int:
        given = ["--model_name", material.model, "--data_dir", data or material.data, *QUICK, *options]
        return train_lora.main([str(one) for one in given])

    return run


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> str:
    return f"lora {request.node.name}"


def only(experiment: str) -> Any:
    (run,) = logbuch.search_runs(experiment_names=[experiment], output_format="list")
    return run


def test_what_is_logged_and_saved(start: Any, experiment: str, material: Any) -> None:
    logbuch.set_system_metrics_sampling_interval(0.1)  # even if all of it takes less than a second
    assert start("--mlflow_experiment_name", experiment) == 0
    run = only(experiment)
    assert (run.info.run_name, run.info.status) == ("standard", "FINISHED")
    assert set(run.data.params) >= SEEDS_PARAMS | MORE_PARAMS
    assert set(run.data.metrics) >= SEEDS_METRICS | MORE_METRICS
    assert run.data.params["effective_scaling"] == "2.0"
    assert run.data.params["use_4bit"] == "False"
    assert len(run.data.params["data_sha256"]) == 64

    found = load_file("models/standard_r8_qkvo/adapter_model.safetensors")
    trainable = sum(tensor.numel() for tensor in found.values())
    base = sum(tensor.numel() for tensor in load_file(material.model / "model.safetensors").values())
    assert run.data.params["trainable_parameters"] == str(trainable)
    assert run.data.params["total_parameters"] == str(base + trainable)
    assert run.data.params["trainable_percentage"] == f"{100 * trainable / (base + trainable):.2f}"

    assert steps(run, "train/loss") == steps(run, "train/tokens_per_second") == list(range(1, 9))
    assert steps(run, "eval/loss") == [0, 4, 8]
    losses = dict(points(run, "eval/loss"))
    assert run.data.metrics["base_eval_loss"] == losses[0]
    assert run.data.metrics["final_eval_loss"] == pytest.approx(min(losses.values()))
    assert run.data.metrics["final_eval_loss"] < losses[0]
    assert run.data.metrics["final_perplexity"] == pytest.approx(math.exp(run.data.metrics["final_eval_loss"]))
    mean = sum(value for _, value in points(run, "train/loss")) / 8
    assert run.data.metrics["final_train_loss"] == pytest.approx(mean)
    assert run.data.metrics["train/peak_memory_megabytes"] > 100
    assert run.data.metrics["system/system_memory_usage_megabytes"] > 0
    assert {one.dataset.name: one.tags[0].value for one in run.inputs.dataset_inputs} == {
        "train.jsonl": "training",
        "validation.jsonl": "validation",
    }
    assert "**answer:**" in text(run, "samples/step-000008.md")

    saved = {path.name for path in Path("models/standard_r8_qkvo").iterdir()}
    assert saved >= {
        "adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "tokenizer_config.json", "README.md",
        "training_args.bin", "checkpoint-4", "checkpoint-8",
    }  # fmt: skip
    assert not [name for name in saved if name.startswith(".")]
    card = Path("models/standard_r8_qkvo/README.md").read_text()
    assert run.info.run_id in card and "final_eval_loss" in card and str(material.model) in card
    kept = {Path(item.path).name for item in logbuch.LogbuchClient().list_artifacts(run.info.run_id, "lora_adapter")}
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json"} <= kept


def test_the_first_loss_is_the_base_models(start: Any, experiment: str, material: Any) -> None:
    """Small losses also show that the small model was really trained before."""
    assert start("--mlflow_experiment_name", experiment, "--max_steps", "4") == 0
    begun, ended = material.losses
    assert ended < begun / 2
    losses = dict(points(only(experiment), "eval/loss"))
    assert losses[0] < begun / 2


def weights(folder: str) -> dict[str, torch.Tensor]:
    return dict(load_file(f"{folder}/standard_r8_qkvo/adapter_model.safetensors"))


def test_a_training_that_sigterm_ended_goes_on_as_if_it_had_not(
    start: Any, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ["--mlflow_experiment_name", experiment, "--output_dir"]
    assert start(*whole, "whole") == 0
    first = only(experiment)

    step = LoraTrainer.training_step

    def terminated(self: Any, *more: Any) -> Any:
        if self.state.global_step == 5:
            os.kill(os.getpid(), signal.SIGTERM)
            monkeypatch.setattr(LoraTrainer, "training_step", step)
        return step(self, *more)

    monkeypatch.setattr(LoraTrainer, "training_step", terminated)
    assert start(*whole, "parts") == 143
    folder = Path("parts/standard_r8_qkvo")
    assert {path.name for path in folder.glob("checkpoint-*")} == {"checkpoint-4", "checkpoint-6"}
    assert not (folder / "adapter_model.safetensors").exists()
    (again,) = logbuch.search_runs(
        experiment_names=[experiment], filter_string="status = 'KILLED'", output_format="list"
    )

    shutil.copytree(folder / "checkpoint-6", folder / "checkpoint-7")  # as kill -9 leaves one that is being written
    (folder / "checkpoint-7" / "trainer_state.json").write_text("{")
    taken = json.loads((folder / "checkpoint-6" / "taken.json").read_text())
    assert taken["rows"] == 6 * 4 and taken["seconds"] > 0
    (folder / "checkpoint-6" / "taken.json").write_text(json.dumps(taken | {"seconds": 1000.0}))
    assert start(*whole, "parts", "--resume") == 0
    again = logbuch.get_run(again.info.run_id)
    assert again.info.status == "FINISHED"
    assert len(logbuch.search_runs(experiment_names=[experiment], output_format="list")) == 2
    for key in ("train/loss", "train/grad_norm", "train/learning_rate", "eval/loss"):
        assert points(again, key) == points(first, key), key
    for key in ("final_train_loss", "final_eval_loss", "base_eval_loss", "train_loss"):
        assert again.data.metrics[key] == first.data.metrics[key], key
    for run in (first, again):  # all rows of the training, not of the part after the resume
        rows = run.data.metrics["samples_per_second"] * run.data.metrics["train_runtime_seconds"]
        assert rows == pytest.approx(8 * 4)
    assert again.data.metrics["train_runtime_seconds"] > 1000
    one, two = weights("whole"), weights("parts")
    assert one.keys() == two.keys()
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    assert not (folder / "checkpoint-7").exists()


def test_resuming_what_cannot_be_resumed(start: Any, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = ("--no_mlflow", "--max_steps", "4", "--sample_count", "0")
    assert start(*quiet, "--resume") == 2
    assert "nothing to resume: models/standard_r8_qkvo" in capsys.readouterr().err
    assert start(*quiet) == 0
    assert start(*quiet, "--resume", "--learning_rate", "0.5", "--seed", "1") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "learning_rate was 0.01 and is 0.5" in said and "seed was 42 and is 1" in said
    assert start(*quiet, "--resume", "elsewhere/checkpoint-4") == 2
    assert "is no checkpoint of this training" in capsys.readouterr().err
    assert start(*quiet, "--resume", "models/standard_r8_qkvo/checkpoint-3") == 2
    assert "is no whole checkpoint" in capsys.readouterr().err


def test_an_earlier_training_is_moved_aside(start: Any, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = ("--no_mlflow", "--max_steps", "4", "--sample_count", "0")
    assert start(*quiet) == 0
    before = weights("models")
    assert start(*quiet, "--seed", "7", "--packing", "true", "--max_seq_length", "200") == 0
    assert "is now in models/standard_r8_qkvo.1" in capsys.readouterr().out
    kept = load_file("models/standard_r8_qkvo.1/adapter_model.safetensors")
    assert all(torch.equal(tensor, kept[name]) for name, tensor in before.items())


# -- what is wrong ends in one line, the run as FAILED with the reason -------------------------------------------------


def failed(experiment: str, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train_lora.py: ")]
    assert len(said) == 1
    assert reason in said[0]
    run = only(experiment)
    assert run.info.status == "FAILED"
    assert reason in run.data.tags["logbuch.error"]
    left = [path for path in Path("models").rglob("*") if path.is_file()] if Path("models").exists() else []
    assert not [path for path in left if path.name.startswith("adapter") and "checkpoint-4" not in str(path)]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--train_file", "nowhere.jsonl"], "cannot read the data nowhere.jsonl"),
        (["--model_name", "no/such/model"], "cannot load the model 'no/such/model'"),
        (["--max_seq_length", "513"], "more than the model's context of 512"),
        (["--max_seq_length", "40"], "tokens do not fit --max_seq_length 40"),
        (["--lora_target_modules", "c_attn"], "LoRA standard does not fit"),
        (["--use_4bit", "true"], "needs the package bitsandbytes"),
        (["--learning_rate", "1e30"], "the loss is"),
    ],
)
def test_wrong_input(
    start: Any,
    experiment: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    reason: str,
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert start("--mlflow_experiment_name", experiment, *options) == 2
    failed(experiment, capsys, reason)


def test_a_row_without_an_answer(
    start: Any, experiment: str, material: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(material.data, tmp_path / "data")
    with (tmp_path / "data" / "train.jsonl").open("a") as file:
        file.write(json.dumps({"question": "What?", "reference_answer": ""}) + "\n")
    assert start("--mlflow_experiment_name", experiment, data=tmp_path / "data") == 2
    failed(experiment, capsys, "line 66: 'reference_answer' is empty")
    assert not Path("models/standard_r8_qkvo").exists()


@pytest.mark.parametrize("part", ["adapter", "optimizer"])
def test_no_room_for_a_checkpoint(
    start: Any, experiment: str, part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = {"adapter": "_save", "optimizer": "_save_rng_state"}[part]
    writes = getattr(LoraTrainer, place)

    def full(self: Any, folder: Any = None, *more: Any, **others: Any) -> None:
        if self.state.global_step < 8:
            writes(self, folder, *more, **others)
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "half").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LoraTrainer, place, full)
    assert start("--mlflow_experiment_name", experiment) == 2
    failed(
        experiment, capsys, "cannot write the checkpoint models/standard_r8_qkvo/checkpoint-8: No space left on device"
    )
    assert [path.name for path in Path("models/standard_r8_qkvo").glob("checkpoint-*")] == ["checkpoint-4"]
    monkeypatch.setattr(LoraTrainer, place, writes)
    assert start("--mlflow_experiment_name", experiment, "--resume") == 0
    assert only(experiment).info.status == "FINISHED"
