"""The configurations and the command line."""

from __future__ import annotations

from dataclasses import fields

import pytest
from config import LORA_CONFIGS, TrainingConfig, parse


@pytest.mark.parametrize(
    ("name", "folder", "rank", "alpha", "dropout"),
    [
        ("minimal", "minimal_r4_qv", 4, 8, 0.05),
        ("standard", "standard_r8_qkvo", 8, 16, 0.05),
        ("aggressive", "aggressive_r16_all", 16, 32, 0.05),
        ("high_capacity", "high_capacity_r32_all", 32, 64, 0.1),
    ],
)
def test_the_four_configurations(name: str, folder: str, rank: int, alpha: int, dropout: float) -> None:
    lora = LORA_CONFIGS[name]
    assert (lora.folder, lora.rank, lora.alpha, lora.dropout) == (folder, rank, alpha, dropout)
    assert lora.effective_scaling == 2.0
    job = parse(["--lora_config", name])
    assert job.run_name == name
    assert str(job.folder) == f"models/{folder}"


def test_what_a_training_is_without_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGBUCH_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    job = parse([])
    config = job.config
    assert (job.lora.name, job.tracking, job.resume, job.test_mode) == ("standard", True, None, False)
    assert (config.model_name, config.mlflow_experiment_name) == (
        "mistralai/Mistral-7B-v0.1",
        "aws-rag-qa-mistral-lora",
    )
    assert (config.learning_rate, config.warmup_steps, config.max_seq_length, config.seed) == (2e-4, 20, 1024, 42)
    assert config.effective_batch_size == 16
    assert config.mlflow_tracking_uri == "http://localhost:5000"


def test_every_field_is_an_option() -> None:
    texts = {"bool": "true", "int": "40", "float": "0.5", "str": "x"}
    choices = {"too_long": "drop", "lr_scheduler_type": "linear", "precision": "fp32"}
    switches = {"use_gradient_checkpointing": "false", "log_model": "false"}
    wanted = (
        {item.name: texts[str(item.type).partition(" ")[0]] for item in fields(TrainingConfig)} | choices | switches
    )
    given = [part for name, text in wanted.items() for part in (f"--{name}", text)]
    lora = ["--lora_rank", "3", "--lora_alpha", "7", "--lora_dropout", "0.2", "--lora_target_modules", "q_proj,v_proj"]
    job = parse(given + lora)
    for name, text in wanted.items():
        assert str(getattr(job.config, name)).lower().removesuffix(".0") == text, name
        assert getattr(job.config, name) != getattr(TrainingConfig(), name), name
    assert (job.lora.folder, job.lora.alpha, job.lora.dropout) == ("standard_r3_qv", 7, 0.2)


def test_the_tracker_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there:5000")
    assert parse([]).config.mlflow_tracking_uri == "http://there:5000"
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", "http://here:5000")
    assert parse([]).config.mlflow_tracking_uri == "http://here:5000"
    assert parse(["--mlflow_tracking_uri", "http://given:1"]).config.mlflow_tracking_uri == "http://given:1"


def test_test_mode_is_small_and_elsewhere() -> None:
    job = parse(["--test_mode", "--max_steps", "3"])
    assert job.config.max_steps == 3
    assert job.config.max_train_rows == 16
    assert job.folder.name == "standard_r8_qkvo_test"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--lora_config", "huge"], "'huge'"),
        (["--learning_rat", "1"], "--learning_rat"),
        (["--learning_rate", "fast"], "'fast'"),
        (["--learning_rate", "0"], "0 is not above 0"),
        (["--learning_rate", "nan"], "nan"),
        (["--max_seq_length", "1.5"], "'1.5'"),
        (["--per_device_train_batch_size", "0"], "0 is less than 1"),
        (["--packing", "perhaps"], "'perhaps'"),
        (["--precision", "int3"], "'int3'"),
        (["--lora_target_modules", ","], "no name of a layer"),
        (["--lora_dropout", "1"], "1 is not below 1"),
        (["--save_steps", "30"], "no multiple of --eval_steps 20"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(given: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(given)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert named in said
    assert said.count("\n") == 1
