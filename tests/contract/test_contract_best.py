"""Which run was best, on both databases; its statistics against SciPy's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from scipy import stats

from logbuch.answers import Reading
from logbuch.errors import InvalidFilter, InvalidInput, NotFound
from logbuch.model import Metric, Param, RunStatus, Tag
from logbuch.store import Store, batch, experiments, runs
from logbuch.store.answers.best import best
from logbuch.store.answers.criterion import Wanted
from logbuch.store.runs import NewRun


def new_run(
    store: Store,
    values: Sequence[float],
    key: str = "eval/loss",
    params: Mapping[str, object] | None = None,
    status: RunStatus = RunStatus.FINISHED,
    name: str = "",
) -> str:
    run_id = store.write(runs.create, NewRun(experiment_id="0", start_time=1, run_name=name)).info.run_id
    points = [Metric(key=key, value=value, timestamp=step, step=step) for step, value in enumerate(values)]
    given = [Param(key=name, value=str(value)) for name, value in (params or {}).items()]
    store.write(batch.log_batch, run_id, points, given)
    store.write(runs.update_run, run_id, status, 2)
    return run_id


def seeds(store: Store, lr: float, values: Sequence[float]) -> list[str]:
    return [new_run(store, [9, value], params={"lr": lr, "seed": seed}) for seed, value in enumerate(values)]


def test_the_best_is_named_with_its_replicates_and_the_runner_up(store: Store) -> None:
    first, second = [1.01, 1.04, 0.99, 1.02], [1.10, 1.13, 1.07]
    good, other = seeds(store, 0.1, first), seeds(store, 0.2, second)
    seeds(store, 0.3, [2.0, 2.1])
    found = store.read(best, "0")
    assert (found.metric, found.lower, found.reading, found.runs) == ("eval/loss", True, Reading.LAST, 9)
    assert found.best.run_ids == tuple(good[place] for place in (2, 0, 3, 1))
    assert found.best.values == tuple(sorted(first))
    assert found.runner_up is not None
    assert found.runner_up.run_ids == tuple(other[place] for place in (2, 0, 1))
    test = stats.ttest_ind(first, second, equal_var=False)
    assert found.p_value == pytest.approx(float(test.pvalue), rel=1e-9)
    assert found.significant is True
    low, high = stats.t.interval(0.95, 3, loc=sum(first) / 4, scale=stats.sem(first))
    assert (found.best.low, found.best.high) == pytest.approx((low, high), rel=1e-9)


def test_a_lead_within_the_noise_is_not_significant(store: Store) -> None:
    seeds(store, 0.1, [1.0, 1.5, 1.2])
    seeds(store, 0.2, [1.1, 1.4, 1.25])
    found = store.read(best, "0")
    assert found.significant is False
    assert found.p_value == pytest.approx(
        float(stats.ttest_ind([1.0, 1.5, 1.2], [1.1, 1.4, 1.25], equal_var=False).pvalue), rel=1e-9
    )


def test_with_one_seed_it_says_so(store: Store) -> None:
    seeds(store, 0.1, [1.0])
    seeds(store, 0.2, [1.1, 1.4])
    found = store.read(best, "0")
    assert (found.p_value, found.significant) == (None, None)
    assert found.reason == "the best ran with one seed only"
    assert (found.best.std, found.best.low) == (None, None)


def test_equal_seeds_and_a_lone_configuration_are_told(store: Store) -> None:
    seeds(store, 0.1, [1.0, 1.0])
    assert store.read(best, "0").reason == "there is no other configuration"
    seeds(store, 0.2, [2.0, 2.0])
    assert store.read(best, "0").reason == "all seeds gave the same value"


def test_runs_without_params_stand_alone(store: Store) -> None:
    new_run(store, [1.0], name="a")
    new_run(store, [2.0], name="b")
    found = store.read(best, "0")
    assert (found.best.names, found.runner_up and found.runner_up.names) == (("a",), ("b",))


def test_only_finished_runs_with_finite_values_count(store: Store) -> None:
    new_run(store, [0.1], status=RunStatus.FAILED)
    new_run(store, [0.1], status=RunStatus.RUNNING)
    for value in (math.nan, math.inf, -math.inf):
        new_run(store, [value])
    deleted = new_run(store, [0.01])
    store.write(runs.delete, deleted)
    good = new_run(store, [3.0])
    found = store.read(best, "0")
    assert (found.best.run_ids, found.runs, found.runner_up) == ((good,), 1, None)


def test_a_run_may_be_read_by_the_best_it_ever_had(store: Store) -> None:
    late, early = new_run(store, [5, 2]), new_run(store, [1, 4])
    assert store.read(best, "0").best.run_ids == (late,)
    found = store.read(best, "0", Wanted(reading=Reading.BEST))
    assert (found.best.run_ids, found.best.values) == ((early,), (1.0,))


def test_direction_comes_from_the_name_the_experiment_or_the_caller(store: Store) -> None:
    low, high = new_run(store, [1.0], "score"), new_run(store, [2.0], "score")
    assert store.read(best, "0", Wanted("score")).best.run_ids == (high,)
    assert store.read(best, "0", Wanted("score", lower=True)).best.run_ids == (low,)
    new_run(store, [1.0], "thing")
    with pytest.raises(InvalidInput, match="'thing' does not tell"):
        store.read(best, "0", Wanted("thing"))
    store.write(experiments.set_tag, "0", Tag(key="logbuch.direction.thing", value="higher"))
    assert store.read(best, "0", Wanted("thing")).lower is False


def test_a_filter_narrows_the_runs(store: Store) -> None:
    seeds(store, 0.1, [1.0])
    second = seeds(store, 0.2, [2.0])
    found = store.read(best, "0", filter="params.lr = '0.2'")
    assert (list(found.best.run_ids), found.runs) == (second, 1)
    with pytest.raises(InvalidFilter):
        store.read(best, "0", filter="params.lr ==== 1")


def test_replicates_are_found_far_down(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbuch.store.answers.best.LOOKED_AT", 3)
    good = seeds(store, 0.1, [1.0])
    other = seeds(store, 0.2, [1.5, 1.6])
    good += [new_run(store, [9.0], params={"lr": 0.1, "seed": 77})]
    found = store.read(best, "0")
    assert (list(found.best.run_ids), found.runner_up and list(found.runner_up.run_ids)) == (good, other)


@pytest.mark.parametrize("metric", [None, "eval/loss", "never"])
def test_nothing_to_compare_is_told(store: Store, metric: str | None) -> None:
    new_run(store, [math.nan])
    with pytest.raises(NotFound):
        store.read(best, "0", Wanted(metric))
    with pytest.raises(NotFound):
        store.read(best, "77", Wanted(metric))
