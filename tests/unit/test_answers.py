"""Rules of the answers: which metric, which way, what is a seed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logbuch import answers
from logbuch.answers import configuration, direction, is_label, is_seed, main_metric
from logbuch.model import Param
from logbuch.stability import parts
from logbuch.stability.parts import lower_is_better


@pytest.mark.parametrize(
    "key", ["seed", "random_seed", "random_state", "train/seed", "data_seed", "training.seed", "Seed"]
)
def test_seeds_are_known(key: str) -> None:
    assert is_seed(key)


@pytest.mark.parametrize("key", ["seeded", "lr", "birdseed_amount", "num_seeds", "seedling"])
def test_other_params_are_no_seeds(key: str) -> None:
    assert not is_seed(key)


@pytest.mark.parametrize(
    "key",
    ["output_dir", "logging_dir", "run_name", "runName", "outputDir", "train/output_dir", "args.run_name", "logdir",
     "wandb_run_id", "job_id", "slurm_job_id", "slurm_array_task_id", "trial_number", "timestamp", "hostname",
     "hub_model_id",
     "default_root_dir", "save_path", "local_rank", "master_port", "experiment_name", "notes"],
)  # fmt: skip
def test_labels_are_known(key: str) -> None:
    assert is_label(key)


@pytest.mark.parametrize(
    "key",
    ["lr", "lora_rank", "lora/rank", "peft.rank", "model_name", "model_name_or_path", "data_dir", "dataset_path",
     "task_name", "run_length", "resume_from_checkpoint", "checkpoint_path", "num_train_epochs", "warmup_steps",
     "logging_steps", "output_dim", "user_embedding", "group_by_length", "tags_vocabulary"],
)  # fmt: skip
def test_other_params_are_no_labels(key: str) -> None:
    assert not is_label(key)


@pytest.mark.parametrize(
    ("key", "lower"),
    [("val/bpb", True), ("valLoss", True), ("valAccuracy", False), ("validation_0-logloss", True),
     ("valid_0-auc", False),
     ("metrics/mAP50-95(B)", False), ("eval/rougeL", False), ("top1_error", True), ("top5", False), ("hits@10", False),
     ("pass@1", False), ("eval/samples_per_second", False), ("train_runtime", True),
     ("val_sparse_categorical_crossentropy", True),
     ("rollout/ep_rew_mean", False), ("eval/mean_reward", False), ("test_mcc", False), ("eval/ndcg@10", False),
     ("brier_score", True), ("ece", True), ("psnr", False), ("lpips", True), ("val_rmse", True), ("r2", False),
     ("negative_log_likelihood", True), ("log_likelihood", False), ("mfu", False), ("epoch", None),
     ("learning_rate", None),
     ("num_tokens", None), ("beta", None)],
)  # fmt: skip
def test_names_tell_the_direction(key: str, lower: bool | None) -> None:
    assert lower_is_better(key) is lower


NAMES = {
    "LOSS": parts._LOSS, "EVALUATION": parts._EVALUATION, "LOWER": parts._LOWER, "HIGHER": parts._HIGHER,
    "THROUGHPUT": parts._THROUGHPUT, "DURATION": parts._DURATION, "USE": parts._USE, "USED_WELL": parts._USED_WELL,
    "PERPLEXITY": parts._PERPLEXITY, "SEED": answers._SEED, "LABEL": answers._LABEL, "PLAIN_LOSS": answers._PLAIN_LOSS,
    "SOME_LOSS": answers._SOME_LOSS, "ASIDE": answers._ASIDE,
}  # fmt: skip


def test_the_page_knows_the_same_names() -> None:
    text = (Path(__file__).parents[2] / "ui" / "src" / "model" / "names.ts").read_text("utf-8")
    found = dict(re.findall(r"^export const (\w+) = pattern\(String\.raw`(.*)`\);$", text, re.MULTILINE))
    assert found == {name: pattern.pattern for name, pattern in NAMES.items()}


def test_replicates_share_all_params_but_the_seed() -> None:
    def of(**params: str) -> frozenset[tuple[str, str]]:
        return configuration(Param(key=key, value=value) for key, value in params.items())

    assert of(lr="0.1", seed="1") == of(lr="0.1", seed="2")
    assert of(lr="0.1", seed="1") != of(lr="0.2", seed="1")
    assert of(lr="0.1") != of(lr="0.1", more="x")
    assert of(lr="0.1", output_dir="out/1", run_name="a") == of(lr="0.1", output_dir="out/2", run_name="b")
    assert of(lora_rank="8") != of(lora_rank="16")


def test_an_experiment_may_say_which_way_is_better() -> None:
    assert direction("loss", {}) is True
    assert direction("x", {}) is None
    assert direction("x", {"logbuch.direction.x": "higher"}) is False
    assert direction("loss", {"logbuch.direction.loss": "higher"}) is False
    assert direction("loss", {"logbuch.direction.loss": "nonsense"}) is True
    mlflows = {"mlflow.experiment.primaryMetric.name": "x", "mlflow.experiment.primaryMetric.greaterIsBetter": "True"}
    assert (direction("x", mlflows), direction("y", mlflows)) == (False, None)
    assert direction("x", mlflows | {"logbuch.direction.x": "lower"}) is True


@pytest.mark.parametrize(
    ("runs", "main"),
    [
        ({"train/loss": 9, "eval/loss": 9, "eval/accuracy": 9}, "eval/loss"),
        ({"train/loss": 9, "eval/loss": 2}, "train/loss"),
        ({"train/loss": 9, "eval/accuracy": 9}, "eval/accuracy"),
        ({"train/loss": 9, "val_rmse": 9, "eval/runtime": 9, "eval/samples_per_second": 9}, "val_rmse"),
        ({"train_runtime": 9, "train_loss": 9, "total_flos": 9, "epoch": 9}, "train_loss"),
        ({"trainLoss": 9, "valLoss": 9, "valAcc": 9}, "valLoss"),
        ({"val_perplexity": 5, "val_loss": 5}, "val_loss"),
        ({"base_eval_loss": 5, "eval/loss": 5, "final_eval_loss": 5, "eval/perplexity": 5}, "eval/loss"),
        ({"val/best_loss": 5, "val/loss": 5, "val/moe_loss": 5}, "val/loss"),
        ({"train/moe_load_balance_loss": 5, "train/loss": 5}, "train/loss"),
        ({"system/cpu_utilization_percentage": 9, "x": 1}, "x"),
        ({}, None),
    ],
)
def test_the_main_metric(runs: dict[str, int], main: str | None) -> None:
    assert main_metric(runs) == main
