"""How the tracker's answers become rows of `logbuch top`."""

from __future__ import annotations

import math
from typing import Any

import pytest

from logbuch.alerts import Level
from logbuch.terminal.known import Known, curves, known
from logbuch.terminal.rows import Memory, Table, count_alerts, progress, rows
from logbuch.terminal.speed import WINDOW_SECONDS, Speed

USE, SHARE, MEMORY = "utilization_percentage", "memory_usage_percentage", "memory_usage_megabytes"


def head(run_id: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "run_id": run_id, "experiment_id": "1", "name": "run", "status": "RUNNING", "start_time": 1_000_000,
        "end_time": None, "lost_time": None,
    } | more  # fmt: skip


def table(heads: list[dict[str, Any]], **columns: Any) -> Table:
    return Table({"runs": heads, "total": len(heads), "columns": columns})


def test_what_to_show_is_told_by_names() -> None:
    metrics = ["train/loss", "eval/loss", "train/epoch", "epoch", f"system/gpu_0_{USE}", f"system/n1/gpu_1_{USE}",
               f"system/gpu_0_{MEMORY}", f"system/gpu_0_{SHARE}", f"system/process_gpu_0_{MEMORY}"]  # fmt: skip
    found = known(metrics, {"training.max_steps": "500", "num_train_epochs": "3.0"}, {})
    assert (found.metric, found.lower, found.loss, found.epoch) == ("eval/loss", True, "train/loss", "epoch")
    assert (found.steps, found.epochs) == (500, 3.0)
    assert found.uses == (f"system/gpu_0_{USE}", f"system/n1/gpu_1_{USE}")
    assert found.memories == (f"system/gpu_0_{MEMORY}",)
    assert "system/process_gpu_0_memory_usage_megabytes" not in found.keys


def test_the_experiment_says_by_what_it_is_judged() -> None:
    tags = {"mlflow.experiment.primaryMetric.name": "gain", "mlflow.experiment.primaryMetric.greaterIsBetter": "true"}
    assert known(["gain", "eval/loss"], {}, tags).metric == "gain"
    assert known(["gain", "eval/loss"], {}, tags).lower is False
    assert known(["eval/loss"], {}, tags).metric == "eval/loss"
    assert known(["system/cpu_utilization_percentage"], {}, {}) == Known()


@pytest.mark.parametrize(
    ("params", "steps", "epochs"),
    [
        ({"max_steps": "-1", "num_train_epochs": "2"}, None, 2.0),
        ({"max_steps": "0", "total_steps": "70"}, 70, None),
        ({"max_steps": "many"}, None, None),
        ({"steps": "nan", "epochs": "inf"}, None, None),
        ({"steps": "0.5"}, None, None),
        ({"Trainer/MAX_EPOCHS": "4"}, None, 4.0),
        ({}, None, None),
    ],
)
def test_how_far_a_run_goes_is_told_by_its_params(
    params: dict[str, str], steps: int | None, epochs: float | None
) -> None:
    found = known(["loss"], params, {})
    assert (found.steps, found.epochs) == (steps, epochs)


def test_progress_is_by_steps_else_by_epochs() -> None:
    assert progress(Known(steps=200), 50, None) == 0.25
    assert progress(Known(steps=200), 500, None) == 1.0
    assert progress(Known(steps=200, epochs=2), None, 1.0) == 0.5
    assert progress(Known(epochs=2), 5, None) is None
    assert progress(Known(epochs=2), 5, math.nan) is None
    assert progress(Known(), 5, 1.0) is None


def test_a_row_says_how_a_run_stands() -> None:
    mind = Memory(
        known=Known(metric="eval/loss", lower=True, loss="loss", uses=("u0", "u1"), memories=("m0",), shares=("s0",)),
        curve=(3.0, None),
        alerts=2,
        level=Level.ERROR,
    )
    answered = table(
        [head(), head("b", status="FINISHED", end_time=1_060_000), head("c", status="LOST", lost_time=1_005_000)],
        **{
            "metrics.eval/loss": {"last": ["NaN", 1.0, None], "step": [10, 9, None], "min": [2.0, 1.0, None],
                                  "max": [9.0, 1.0, None]},
            "metrics.loss": {"last": [1.5, None, None], "step": [40, None, None]},
            "metrics.u0": {"last": [80.0, 80.0, None], "step": [1, 1, None]},
            "metrics.u1": {"last": ["NaN", 80.0, None], "step": [1, 1, None]},
            "metrics.m0": {"last": [1000.0, 1.0, None], "step": [1, 1, None]},
            "metrics.s0": {"last": [50.0, 1.0, None], "step": [1, 1, None]},
            "tags.logbuch.stability": {"value": ["unstable", None, None]},
        },
    )  # fmt: skip
    going, ended, lost = rows(answered, {"a": mind, "b": mind}, {"1": "one"}, 1_100.0)
    assert (going.experiment, going.seconds, going.step, going.best) == ("one", 100.0, 40, 2.0)
    assert going.value is not None
    assert math.isnan(going.value)
    assert (going.gpu_percent, going.gpu_memory_megabytes, going.gpu_memory_percent) == (80.0, 1000.0, 50.0)
    assert (going.stability, going.alerts, going.alert_level) == ("unstable", 2, Level.ERROR)
    assert going.steps_per_second == 0.4
    # What has ended uses no GPU any more, and its time stands still.
    assert (ended.seconds, ended.steps_per_second, ended.gpu_percent, ended.going) == (60.0, 9 / 60, None, False)
    assert (lost.seconds, lost.end_time, lost.metric, lost.best) == (5.0, 1_005_000, None, None)


def test_the_best_is_not_told_without_a_direction() -> None:
    columns = {"metrics.gain": {"last": [5.0], "step": [1], "min": [1.0], "max": [7.0]}}
    for lower, best in ((None, None), (False, 7.0), (True, 1.0)):
        (found,) = rows(table([head()], **columns), {"a": Memory(known=Known(metric="gain", lower=lower))}, {}, 2_000.0)
        assert (found.best, found.experiment) == (best, "1")


def test_speed_is_that_of_the_steps_that_were_seen() -> None:
    speed = Speed()
    assert speed.at(0.0) is None
    speed.see(0.0, 100)
    assert speed.at(5.0) is None
    for time in range(1, 5):
        speed.see(2.0 * time, 100 + 20 * time)
    assert speed.at(8.0) == pytest.approx(10.0)
    assert speed.at(10.0) == pytest.approx(10.0)  # a step may take as long as the others did
    late = speed.at(40.0)
    assert late is not None
    assert late < 3.0
    speed.see(42.0, 7)  # resumed from a checkpoint
    assert speed.at(43.0) is None


def test_speed_forgets_what_was_long_ago() -> None:
    speed = Speed()
    for second in range(0, int(WINDOW_SECONDS) * 3, 2):
        speed.see(second, 10 * second if second < WINDOW_SECONDS else int(10 * WINDOW_SECONDS + second))
    assert speed.at(second) == pytest.approx(1.0, rel=0.05)


def test_alerts_are_counted_and_the_gravest_is_kept() -> None:
    found = count_alerts([{"run_id": "a", "level": "info"}, {"run_id": "a", "level": "error"},
                          {"run_id": "a", "level": "warning"}, {"run_id": "b", "level": "info"}])  # fmt: skip
    assert found == {"a": (3, Level.ERROR), "b": (1, Level.INFO)}


def test_the_main_curve_comes_first_and_the_system_last() -> None:
    keys = ["accuracy", "eval/loss", "loss", "other", f"system/gpu_0_{USE}", "system/disk_usage_percentage"]
    assert curves(keys, "accuracy", 12) == ["accuracy", "eval/loss", "loss", "other", f"system/gpu_0_{USE}"]
    assert curves(keys, None, 2) == ["eval/loss", "loss"]
    assert curves([], None, 2) == []
