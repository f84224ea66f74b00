"""Which params explain a metric, on both databases."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from logbuch.answers import Reading
from logbuch.errors import InvalidFilter, NotFound
from logbuch.model import Metric, Param, RunStatus
from logbuch.store import Store, batch, experiments, runs
from logbuch.store.answers import importance as module
from logbuch.store.answers.criterion import Wanted
from logbuch.store.answers.importance import importance
from logbuch.store.runs import NewRun


def new_run(
    store: Store,
    loss: float,
    params: Mapping[str, object],
    status: RunStatus = RunStatus.FINISHED,
    experiment_id: str = "0",
) -> str:
    run_id = store.write(runs.create, NewRun(experiment_id=experiment_id, start_time=1)).info.run_id
    given = [Param(key=key, value=str(value)) for key, value in params.items()]
    store.write(batch.log_batch, run_id, [Metric(key="eval/loss", value=loss, timestamp=1, step=0)], given)
    store.write(runs.update_run, run_id, status, 2)
    return run_id


def sweep(store: Store, count: int = 40) -> list[float]:
    """Runs whose loss the rate tells for the most part, the optimizer a little, and width not at all."""
    random = np.random.default_rng(1)
    losses = []
    for number in range(count):
        rate, optimizer = 10 ** random.uniform(-4, -1), ("adam", "sgd")[number % 2]
        losses.append(2 - 0.4 * math.log10(rate) + 0.3 * (optimizer == "sgd") + random.normal(0, 0.02))
        params = {"lr": rate, "optimizer": optimizer, "width": (64, 128, 256)[number % 3], "epochs": 3}
        new_run(store, losses[-1], params | {"seed": number, "output": f"out/{number}"})
    return losses


def test_the_param_that_explains_comes_first(store: Store) -> None:
    losses = sweep(store)
    found = store.read(importance, "0")
    assert (found.metric, found.runs, found.looked_at, found.reason) == ("eval/loss", 40, 40, None)
    assert [one.key for one in found.effects][:2] == ["lr", "optimizer"]
    rate, optimizer, *rest = found.effects
    assert [one.key for one in rest] == ["width"]  # neither what is equal, nor seeds, nor names
    assert found.explained is not None
    assert found.explained > 0.8
    assert sum(one.share for one in found.effects) == pytest.approx(found.explained, rel=1e-9)
    assert rate.share > 3 * optimizer.share > 0
    assert rest[0].share < 0.05
    assert (rate.values, optimizer.values) == (40, 2)
    assert (optimizer.correlation, optimizer.best, optimizer.usual) == (None, "adam", "sgd")
    assert rate.correlation is not None
    assert rate.correlation < -0.9
    assert min(losses) == pytest.approx(2 - 0.4 * math.log10(float(rate.best or 0)), abs=0.1)


def test_the_correlation_is_spearmans(store: Store) -> None:
    losses = [3.0, 1.0, 2.0, 2.0, 5.0, 4.0, 9.0, 8.0, 1.5, 2.5]
    given = [1, 1, 2, 3, 5, 4, 4, 9, 0, "1e1"]
    for loss, value in zip(losses, given, strict=True):
        new_run(store, loss, {"x": value})
    (effect,) = store.read(importance, "0").effects
    expected = stats.spearmanr([float(value) for value in given], losses).statistic
    assert effect.correlation == pytest.approx(expected, rel=1e-12)


def test_too_few_runs_are_told(store: Store) -> None:
    sweep(store, 9)
    found = store.read(importance, "0")
    assert found.reason == "there are too few runs: 9, and at least 10 are needed"
    assert found.explained is None
    assert {one.key for one in found.effects} == {"lr", "optimizer", "width"}
    assert all(one.share == 0 for one in found.effects)


def test_what_cannot_be_explained_is_told(store: Store) -> None:
    for number in range(12):
        new_run(store, float(number), {"lr": 1, "seed": number})
    assert store.read(importance, "0").reason == "no param differs between the runs"
    for number in range(12):
        new_run(store, 1.0, {"lr": 2 + number % 2})
    assert store.read(importance, "0", Wanted(), "params.lr != '1'").reason == "all runs have the same value"
    with pytest.raises(NotFound):
        store.read(importance, "0", Wanted("never"))
    with pytest.raises(NotFound):
        store.read(importance, "77")
    with pytest.raises(InvalidFilter):
        store.read(importance, "0", Wanted(), "params.lr ==== 1")


def test_one_run_that_diverged_does_not_hide_the_rest(store: Store) -> None:
    sweep(store)
    new_run(store, 1e300, {"lr": 0.01, "optimizer": "adam", "width": 64, "epochs": 3})
    new_run(store, math.nan, {"lr": 0.01, "optimizer": "adam", "width": 64, "epochs": 3})
    found = store.read(importance, "0")
    assert (found.runs, found.effects[0].key) == (41, "lr")
    assert found.explained is not None
    assert found.explained > 0.2


def test_these_runs_whatever_their_status(store: Store) -> None:
    sweep(store)
    odd = [new_run(store, float(number), {"lr": number}, RunStatus.FAILED) for number in range(10)]
    found = store.read(importance, "0", Wanted("eval/loss"), "", odd)
    assert (found.runs, [one.key for one in found.effects]) == (10, ["lr"])


def test_named_runs_may_be_archived(store: Store) -> None:
    named = [new_run(store, float(number), {"lr": number}) for number in range(12)]
    for run_id in named:
        store.write(runs.delete, run_id)
    assert store.read(importance, "0", Wanted("eval/loss"), "", named).runs == 12


def test_runs_of_several_experiments_are_asked_about_together(store: Store) -> None:
    other = store.write(experiments.create, "other")
    one = [new_run(store, float(number), {"lr": number}) for number in range(6)]
    two = [new_run(store, float(number), {"lr": number}, experiment_id=other) for number in range(6)]
    found = store.read(importance, "0", Wanted("eval/loss"), "", [*one, *two], [other])
    assert (found.runs, found.reason) == (12, None)
    assert store.read(importance, "0", Wanted("eval/loss"), "", None, [other]).runs == 12
    assert store.read(importance, "0", Wanted("eval/loss"), "", [*one, *two]).runs == 6
    with pytest.raises(NotFound):
        store.read(importance, "0", Wanted("eval/loss"), "", one, ["77"])


def test_of_many_runs_a_lasting_sample_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKED_AT", 20)
    sweep(store)
    found = store.read(importance, "0")
    assert found.runs == 40
    assert 15 <= found.looked_at <= 25
    assert store.read(importance, "0", Wanted("eval/loss")) == found


def test_moving_averages_are_read_where_they_are_wanted(store: Store) -> None:
    sweep(store, 12)
    found = store.read(importance, "0", Wanted(reading=Reading.SMOOTHED))
    assert (found.reading, found.runs, found.effects[0].key) == (Reading.SMOOTHED, 12, "lr")
