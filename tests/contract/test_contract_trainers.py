"""Answers about runs as trainers log them: a hundred params each, names and folders of their own among them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from logbuch.model import Metric, Param, RunStatus
from logbuch.store import Store, batch, runs
from logbuch.store.answers.best import best
from logbuch.store.answers.importance import importance
from logbuch.store.runs import NewRun

SAME = {f"argument_{number:03}": str(number) for number in range(90)}
"""What stands in every run, most of it before \"learning_rate\" in the order of keys."""
RATES, SIZES, SEEDS = (1e-5, 3e-5, 1e-4), (8, 16), 3


def trained(store: Store, loss: float, params: Mapping[str, object]) -> str:
    run_id = store.write(runs.create, NewRun(experiment_id="0", start_time=1)).info.run_id
    given = [Param(key=key, value=str(value)) for key, value in {**SAME, **params}.items()]
    store.write(batch.log_batch, run_id, [Metric(key="eval/loss", value=loss, timestamp=1, step=0)], given)
    store.write(runs.update_run, run_id, RunStatus.FINISHED, 2)
    return run_id


@pytest.fixture
def sweep(store: Store) -> dict[tuple[float, int], list[str]]:
    """Runs of each configuration, one a seed: the rate tells the loss, the batch a little."""
    random, made = np.random.default_rng(2), {}
    for rate in RATES:
        for size in SIZES:
            name = f"bert-{rate}-{size}"
            for seed in range(SEEDS):
                params = {
                    "learning_rate": rate, "per_device_train_batch_size": size, "seed": seed, "data_seed": seed,
                    "run_name": f"{name}-{seed}", "output_dir": f"out/{name}", "logging_dir": f"out/{name}/{seed}",
                    "job_id": 7000 + len(made) * 10 + seed, "config_file": f"configs/{name}.yaml",
                }  # fmt: skip
                loss = 1 + 0.2 * abs(np.log10(rate / 3e-5)) + 0.01 * size / 8 + random.normal(0, 0.002)
                made.setdefault((rate, size), []).append(trained(store, float(loss), params))
    return made


def test_seeds_of_one_configuration_are_found_whatever_their_folders(
    store: Store, sweep: dict[tuple[float, int], list[str]]
) -> None:
    found = store.read(best, "0")
    assert sorted(found.best.run_ids) == sorted(sweep[3e-5, 8])
    assert found.runner_up is not None
    assert sorted(found.runner_up.run_ids) == sorted(sweep[3e-5, 16])
    assert found.p_value is not None


def test_seeds_are_found_among_many_runs_that_share_nearly_all_params(
    store: Store, sweep: dict[tuple[float, int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked of the database are the params that tell runs apart, and not the first forty in their order."""
    monkeypatch.setattr("logbuch.store.answers.best.LOOKED_AT", 6)
    assert sorted(store.read(best, "0").best.run_ids) == sorted(sweep[3e-5, 8])


def test_names_folders_and_numbers_of_runs_explain_nothing(
    store: Store, sweep: dict[tuple[float, int], list[str]]
) -> None:
    found = store.read(importance, "0")
    assert [one.key for one in found.effects] == ["learning_rate", "per_device_train_batch_size"]
    assert found.effects[0].share > 0.5


def test_a_text_that_is_a_param_and_no_name_stays(store: Store) -> None:
    random = np.random.default_rng(3)
    for number in range(24):
        model, rate = ("small", "large")[number % 2], RATES[number % 3]
        width = {"small": 256, "large": 512}[model]
        loss = 1 + 0.3 * (model == "small") + 0.05 * (rate == RATES[0]) + random.normal(0, 0.005)
        trained(store, float(loss), {"model": model, "width": width, "learning_rate": rate})
    assert {one.key for one in store.read(importance, "0").effects} == {"model", "width", "learning_rate"}
