"""Rules of the answers: which metric, which way, what is a seed."""

from __future__ import annotations

import pytest

from logbuch.answers import configuration, direction, is_seed, main_metric
from logbuch.model import Param


@pytest.mark.parametrize(
    "key", ["seed", "random_seed", "random_state", "train/seed", "data_seed", "training.seed", "Seed"]
)
def test_seeds_are_known(key: str) -> None:
    assert is_seed(key)


@pytest.mark.parametrize("key", ["seeded", "lr", "birdseed_amount", "num_seeds", "seedling"])
def test_other_params_are_no_seeds(key: str) -> None:
    assert not is_seed(key)


def test_replicates_share_all_params_but_the_seed() -> None:
    def of(**params: str) -> frozenset[tuple[str, str]]:
        return configuration(Param(key=key, value=value) for key, value in params.items())

    assert of(lr="0.1", seed="1") == of(lr="0.1", seed="2")
    assert of(lr="0.1", seed="1") != of(lr="0.2", seed="1")
    assert of(lr="0.1") != of(lr="0.1", more="x")


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
