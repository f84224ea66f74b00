"""By what an experiment is judged, on both databases: kept, used wherever runs are judged, and remembered answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sqlalchemy import event

from logbuch.answers import Reading
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Metric, Param, RunStatus, Tag
from logbuch.store import Store, batch, bulk, experiments, runs
from logbuch.store.answers import criterion, ranking
from logbuch.store.answers.best import best
from logbuch.store.answers.criterion import Wanted
from logbuch.store.runs import NewRun


def new_run(store: Store, values: list[float], lr: object = 1, experiment: str = "0", key: str = "eval/loss") -> str:
    run_id = store.write(runs.create, NewRun(experiment_id=experiment, start_time=1)).info.run_id
    points = [Metric(key=key, value=value, timestamp=step, step=step) for step, value in enumerate(values)]
    store.write(batch.log_batch, run_id, points, [Param(key="lr", value=str(lr))])
    store.write(runs.update_run, run_id, RunStatus.FINISHED, 2)
    return run_id


def average(values: list[float], weight: float = 0.9) -> list[float]:
    """The moving average, by its definition."""
    carried, found = 0.0, []
    for step, value in enumerate(values, 1):
        carried = weight * carried + (1 - weight) * value
        found.append(carried / (1 - weight**step))
    return found


def test_what_is_kept_is_used(store: Store) -> None:
    low, high = new_run(store, [3.0, 1.0], 1, key="thing"), new_run(store, [4.0, 2.0], 2, key="thing")
    with pytest.raises(InvalidInput, match="does not tell"):
        store.read(best, "0", Wanted("thing"))
    told = store.write(criterion.keep, "0", Wanted("thing", False, Reading.BEST), low)
    assert told == {
        "mlflow.experiment.primaryMetric.name": "thing",
        "logbuch.direction.thing": "higher",
        "logbuch.reading.thing": "best",
        "logbuch.baseline": low,
    }
    found = store.read(best, "0")
    assert (found.metric, found.lower, found.reading, found.best.run_ids) == ("thing", False, Reading.BEST, (high,))
    assert found.baseline is not None
    assert (found.baseline.run_id, found.baseline.value, found.baseline.change) == (low, 3.0, 1.0)
    assert found.baseline.ratio == pytest.approx(1 / 3)
    assert store.read(best, "0", Wanted(lower=True, reading=Reading.LAST)).best.run_ids == (low,)


def test_a_baseline_is_a_run_of_the_experiment(store: Store) -> None:
    mine = new_run(store, [1.0])
    other = store.write(experiments.create, "other")
    strange = new_run(store, [1.0], experiment=other)
    for wrong in (strange, "0" * 32, "nonsense", "\x00"):
        with pytest.raises((NotFound, InvalidInput)):
            store.write(criterion.keep, "0", Wanted(), wrong)
    store.write(criterion.keep, "0", Wanted(), mine)
    assert store.write(criterion.keep, "0", Wanted(), "") == {}
    assert store.write(criterion.keep, "0", Wanted(), "") == {}
    assert store.read(best, "0").baseline is None


def test_a_baseline_without_a_number_or_that_is_gone_breaks_nothing(store: Store) -> None:
    new_run(store, [1.0])
    broken = new_run(store, [math.nan])
    store.write(criterion.keep, "0", Wanted(), broken)
    found = store.read(best, "0").baseline
    assert found is not None
    assert (found.run_id, found.value, found.change, found.ratio) == (broken, None, None, None)
    zero = new_run(store, [0.0])
    store.write(criterion.keep, "0", Wanted(), zero)
    found = store.read(best, "0").baseline
    assert found is not None
    assert (found.value, found.change, found.ratio) == (0.0, 0.0, None)
    store.write(experiments.set_tag, "0", Tag(key="logbuch.baseline", value="f" * 32))
    assert store.read(best, "0").baseline is None


def test_the_reading_of_the_main_metric_is_kept_where_none_is_named(store: Store) -> None:
    new_run(store, [1.0])
    assert store.write(criterion.keep, "0", Wanted(reading=Reading.SMOOTHED), None) == {
        "logbuch.reading.eval/loss": "smoothed"
    }
    store.write(experiments.set_tag, "0", Tag(key="logbuch.reading.eval/loss", value="nonsense"))
    assert store.read(best, "0").reading is Reading.LAST


def test_the_best_of_the_moving_average(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "PART", 2)
    random = np.random.default_rng(3)
    curves = [(1 + lr / 100 + random.normal(0, 0.3, 60)).tolist() for lr in range(12)]
    curves[5][30] = -9.0  # a lucky point
    made = [new_run(store, curve, lr) for lr, curve in enumerate(curves)]
    for lower, least in ((True, min), (False, max)):
        wanted = sorted(
            ((least(average(curve)), run) for curve, run in zip(curves, made, strict=True)), reverse=not lower
        )
        found = store.read(best, "0", Wanted("eval/loss", lower, Reading.SMOOTHED))
        assert found.runner_up is not None
        assert (found.best.run_ids, found.runner_up.run_ids) == ((wanted[0][1],), (wanted[1][1],))
        assert found.best.values[0] == pytest.approx(wanted[0][0], rel=1e-12)
        assert (found.whole, found.runs) == (True, 12)


def test_too_many_moving_averages_are_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "PART", 2)
    monkeypatch.setattr(ranking, "SMOOTHED", 4)
    for lr in range(6):
        new_run(store, [9.0, lr / 1000, 9.0], lr)
    assert store.read(best, "0", Wanted(reading=Reading.SMOOTHED)).whole is False


class Questions:
    """How often a store reads the values of all runs: what an answer that is remembered does not need."""

    def __init__(self, store: Store) -> None:
        self.count = 0
        event.listen(store._seam.reader, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.count += "FROM latest JOIN runs" in statement and "json" in statement


def test_an_answer_is_remembered_until_a_finished_run_changes(store: Store) -> None:
    first = new_run(store, [2.0])
    new_run(store, [3.0], 2)
    asked = Questions(store)
    assert store.read(best, "0").best.run_ids == (first,)
    assert store.read(best, "0").best.run_ids == (first,)
    running = store.write(runs.create, NewRun(experiment_id="0", start_time=1)).info.run_id
    store.write(batch.log_batch, running, [Metric(key="eval/loss", value=0.5, timestamp=1, step=0)])
    assert store.read(best, "0").best.run_ids == (first,)
    assert asked.count == 1
    store.write(runs.update_run, running, RunStatus.FINISHED, 2)
    assert store.read(best, "0").best.run_ids == (running,)
    store.write(batch.log_batch, running, [Metric(key="eval/loss", value=7.0, timestamp=2, step=1)])
    assert store.read(best, "0").best.run_ids == (first,)
    store.write(runs.delete, first)
    assert store.read(best, "0").best.values == (3.0,)
    store.write(runs.restore, first)
    assert store.read(best, "0").best.run_ids == (first,)
    store.write(runs.update_run, first, RunStatus.RUNNING)
    assert store.read(best, "0").best.values == (3.0,)
    store.write(runs.update_run, first, RunStatus.FINISHED, 2)
    other = store.write(experiments.create, "other")
    store.write(bulk.move, [first], other)
    assert store.read(best, "0").best.values == (3.0,)
    store.write(experiments.set_tag, "0", Tag(key="logbuch.direction.eval/loss", value="higher"))
    assert store.read(best, "0").best.run_ids == (running,)


def test_a_metric_that_was_never_logged_decides_nothing(store: Store) -> None:
    first = new_run(store, [1.0])
    store.write(experiments.set_tag, "0", Tag(key="mlflow.experiment.primaryMetric.name", value="never"))
    assert (store.read(best, "0").metric, store.read(best, "0").best.run_ids) == ("eval/loss", (first,))
