"""The fluent functions over a real store in a temporary folder."""

from __future__ import annotations

import math
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import logbuch
import logbuch as mlflow
from logbuch.errors import InvalidInput, NotFound
from logbuch.sdk.connection import connect


def run_of(run_id: str) -> Any:
    return logbuch.get_run(run_id)


def test_hello_of_the_seed() -> None:
    mlflow.set_experiment("hello-mlflow")
    with mlflow.start_run() as run:
        mlflow.log_param("learning_rate", 0.01)
        mlflow.log_param("batch_size", 32)
        for step in range(100):
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    found = run_of(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"learning_rate": "0.01", "batch_size": "32"}
    assert found.data.metrics == {"loss": 0.01}
    history = mlflow.tracking.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [point.step for point in history] == list(range(100))


def test_setup_of_the_seed() -> None:
    experiment = mlflow.get_experiment_by_name("aws-rag-qa-mistral-lora")
    assert experiment is None
    experiment_id = mlflow.create_experiment("aws-rag-qa-mistral-lora")
    found = mlflow.get_experiment_by_name("aws-rag-qa-mistral-lora")
    assert found is not None
    assert found.experiment_id == experiment_id
    assert mlflow.active_run() is None
    mlflow.start_run(experiment_id=experiment_id, run_name="standard")
    assert mlflow.active_run()
    mlflow.log_params({"lora_rank": 8, "use_4bit": True, "lora_target_modules": "q,v"})
    mlflow.log_metrics({"final_train_loss": 0.3, "epoch": 1})
    mlflow.set_tag("experiment_phase", "hyperparameter_search")
    mlflow.end_run()
    run = mlflow.last_active_run()
    assert run is not None
    assert run.info.experiment_id == experiment_id
    assert run.data.params["use_4bit"] == "True"
    assert run.data.tags["experiment_phase"] == "hyperparameter_search"
    assert {experiment.name for experiment in mlflow.list_experiments()} == {"Default", "aws-rag-qa-mistral-lora"}


def test_search_by_a_text_and_by_a_name_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    experiment_id = mlflow.set_experiment("storyteller").experiment_id
    with mlflow.start_run():
        mlflow.log_metric("loss", 1.0)
    capfd.readouterr()
    assert len(mlflow.search_runs(experiment_names="storyteller", output_format="list")) == 1
    assert len(mlflow.search_runs(experiment_id, output_format="list")) == 1
    assert len(mlflow.search_runs(experiment_names=["nope", "storyteller"], output_format="list")) == 1
    assert capfd.readouterr().err.count("there is no experiment") == 1


def test_search_of_the_seed() -> None:
    mlflow.set_experiment("storyteller")
    for loss in (2.5, 1.5, 1.0):
        with mlflow.start_run():
            mlflow.log_metric("val/loss", loss)
            mlflow.log_param("learning_rate", 3e-4)
    runs = mlflow.search_runs(
        experiment_names=["storyteller"],
        filter_string="metrics.val/loss < 2.0",
        order_by=["metrics.val/loss ASC"],
        max_results=5,
    )
    shown = runs[["run_id", "metrics.val/loss", "params.learning_rate"]]
    assert shown["metrics.val/loss"].tolist() == [1.0, 1.5]
    assert str(runs["start_time"].dtype).startswith("datetime64")
    assert len(mlflow.search_runs(output_format="list", max_results=2)) == 2
    assert len(mlflow.search_runs(search_all_experiments=True)) == 3
    assert len(mlflow.search_runs(experiment_names=["nope"])) == 0
    with pytest.raises(InvalidInput):
        mlflow.search_runs(output_format="csv")  # type: ignore[arg-type]


def test_values_that_are_no_ordinary_numbers_come_back_as_they_are() -> None:
    with logbuch.start_run() as run:
        logbuch.log_metrics({"nan": math.nan, "inf": math.inf, "minus": -math.inf, "zero": -0.0})
    metrics = run_of(run.info.run_id).data.metrics
    assert math.isnan(metrics["nan"])
    assert (metrics["inf"], metrics["minus"]) == (math.inf, -math.inf)
    assert math.copysign(1, metrics["zero"]) == -1


def test_wrong_use_is_an_error_at_once_and_leaves_nothing() -> None:
    with logbuch.start_run() as run:
        for wrong in ("much", None, [1]):
            with pytest.raises(InvalidInput):
                logbuch.log_metric("m", wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            logbuch.log_metric("bad//key", 1)
        with pytest.raises(InvalidInput):
            logbuch.log_metrics({"good": 1.0, "bad": "x"})  # type: ignore[dict-item]
        logbuch.log_params({"a": 1, "b": 2})
        with pytest.raises(InvalidInput, match="already logged with value='1'"):
            logbuch.log_params({"c": 3, "a": 2})
        logbuch.log_param("a", 1)
    found = run_of(run.info.run_id)
    assert found.data.params == {"a": "1", "b": "2"}
    assert found.data.metrics == {}


def test_the_run_starts_by_itself() -> None:
    logbuch.log_metric("m", 1)
    run = logbuch.active_run()
    assert run is not None
    logbuch.end_run()
    assert run_of(run.info.run_id).data.metrics == {"m": 1.0}
    logbuch.end_run()  # nothing to end is no error


def test_a_second_run_must_be_nested() -> None:
    with logbuch.start_run(run_name="outer") as outer:
        with pytest.raises(InvalidInput, match="nested=True"):
            logbuch.start_run()
        with logbuch.start_run(nested=True, run_name="inner") as inner:
            logbuch.log_metric("m", 1)
            assert logbuch.active_run() == inner
        logbuch.log_metric("n", 2)
    assert run_of(inner.info.run_id).data.metrics == {"m": 1.0}
    assert run_of(outer.info.run_id).data.metrics == {"n": 2.0}
    parent = logbuch.get_parent_run(inner.info.run_id)
    assert parent is not None
    assert parent.info.run_id == outer.info.run_id
    assert logbuch.get_parent_run(outer.info.run_id) is None


def test_a_parent_by_id() -> None:
    with logbuch.start_run() as parent:
        pass
    with logbuch.start_run(parent_run_id=parent.info.run_id) as child:
        pass
    assert run_of(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
    with pytest.raises(NotFound):
        logbuch.start_run(parent_run_id="nobody")


def test_a_run_is_resumed() -> None:
    with logbuch.start_run(run_name="first", tags={"a": 1}) as run:
        logbuch.log_param("p", 1)
    with logbuch.start_run(run_id=run.info.run_id, run_name="second", tags={"b": 2}, description="note") as again:
        assert again.info.run_id == run.info.run_id
        assert run_of(run.info.run_id).info.status == "RUNNING"
        assert run_of(run.info.run_id).info.end_time is None
        with pytest.raises(InvalidInput):
            logbuch.log_param("p", 2)
    found = run_of(run.info.run_id)
    assert (found.info.run_name, found.info.status) == ("second", "FINISHED")
    assert found.data.tags["a"] == "1"
    assert found.data.tags["b"] == "2"
    assert found.data.tags["mlflow.note.content"] == "note"
    with pytest.raises(InvalidInput, match="belongs to experiment"):
        logbuch.start_run(run_id=run.info.run_id, experiment_id="77")
    logbuch.delete_run(run.info.run_id)
    with pytest.raises(InvalidInput, match="deleted"):
        logbuch.start_run(run_id=run.info.run_id)


def test_the_environment_names_experiment_run_and_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from-env")
    monkeypatch.setenv("MLFLOW_RUN_NAME", "named")
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"cluster": "a1"}')
    with logbuch.start_run() as run:
        pass
    found = run_of(run.info.run_id)
    assert logbuch.get_experiment(found.info.experiment_id).name == "from-env"
    assert found.info.run_name == "named"
    assert found.data.tags["cluster"] == "a1"
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    monkeypatch.setattr("logbuch.sdk.starting._environment_used", False)
    with logbuch.start_run() as resumed:
        assert resumed.info.run_id == run.info.run_id
    with logbuch.start_run() as other:
        assert other.info.run_id != run.info.run_id


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("boom"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(0), "FINISHED"),
        (SystemExit(2), "FAILED"),
    ],
)
def test_an_exception_decides_the_status(error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), logbuch.start_run() as run:
        raise error
    found = run_of(run.info.run_id)
    assert found.info.status == status
    assert ("logbuch.error" in found.data.tags) == (status != "FINISHED")
    logbuch.start_run()
    with pytest.raises(type(error)):
        try:
            raise error
        finally:
            logbuch.end_run()
    last = logbuch.last_active_run()
    assert last is not None
    assert last.info.status == status


def test_an_exception_from_before_the_run_does_not_count() -> None:
    try:
        raise ImportError
    except ImportError:
        logbuch.start_run()
        logbuch.end_run()
    run = logbuch.last_active_run()
    assert run is not None
    assert run.info.status == "FINISHED"


def test_a_status_that_is_given_counts() -> None:
    with pytest.raises(InvalidInput):
        logbuch.end_run("DONE")
    logbuch.start_run()
    logbuch.end_run("KILLED")
    run = logbuch.last_active_run()
    assert run is not None
    assert run.info.status == "KILLED"


def test_threads_have_runs_of_their_own() -> None:
    found: dict[int, str] = {}

    def work(number: int) -> None:
        with logbuch.start_run(run_name=str(number)) as run:
            logbuch.log_metric("number", number)
            time.sleep(0.01)
            found[number] = run.info.run_id

    with logbuch.start_run() as outer:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {number: run_of(run_id).data.metrics["number"] for number, run_id in found.items()} == {
        number: float(number) for number in range(4)
    }
    assert run_of(outer.info.run_id).data.metrics == {}


def test_tags_and_experiments() -> None:
    experiment = logbuch.set_experiment("e")
    assert logbuch.set_experiment(experiment_id=experiment.experiment_id).name == "e"
    logbuch.set_experiment_tags({"a": 1, "b": "x"})
    assert logbuch.get_experiment(experiment.experiment_id).tags == {"a": "1", "b": "x"}
    logbuch.delete_experiment_tag("a")
    assert logbuch.get_experiment(experiment.experiment_id).tags == {"b": "x"}
    with logbuch.start_run() as run:
        logbuch.set_tags({"t": 1, "u": 2})
        logbuch.delete_tag("t")
        with pytest.raises(NotFound):
            logbuch.delete_tag("nope")
    assert "t" not in run_of(run.info.run_id).data.tags
    assert run_of(run.info.run_id).data.tags["u"] == "2"
    logbuch.delete_experiment(experiment.experiment_id)
    with pytest.raises(InvalidInput, match="restore_experiment"):
        logbuch.set_experiment("e")
    logbuch.restore_experiment(experiment.experiment_id)
    assert [found.name for found in logbuch.search_experiments(filter_string="name = 'e'")] == ["e"]
    for wrong in ({}, {"experiment_name": "e", "experiment_id": "1"}):
        with pytest.raises(InvalidInput):
            logbuch.set_experiment(**wrong)


def test_runs_are_deleted_and_restored() -> None:
    with logbuch.start_run() as run:
        pass
    logbuch.delete_run(run.info.run_id)
    assert logbuch.search_runs(output_format="list") == []
    logbuch.restore_run(run.info.run_id)
    assert len(logbuch.search_runs(output_format="list")) == 1


def test_time_does_not_go_back_within_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([5_000_000_000, 4_000_000_000, 6_000_000_000])
    with logbuch.start_run() as run:
        with monkeypatch.context() as clock:
            clock.setattr("logbuch.sdk.writer.time.time_ns", lambda: next(moments))
            for step in range(3):
                logbuch.log_metric("m", step, step=step)
        logbuch.log_metric("given", 1, timestamp=123)
    client = logbuch.LogbuchClient()
    assert [point.timestamp for point in client.get_metric_history(run.info.run_id, "m")] == [5000, 5000, 6000]
    assert client.get_metric_history(run.info.run_id, "given")[0].timestamp == 123


def test_time_goes_on_where_the_clock_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, elapsed = [5_000], [100]
    with logbuch.start_run() as run, monkeypatch.context() as clock:
        clock.setattr("logbuch.sdk.writer.time.time_ns", lambda: wall[0] * 1_000_000)
        clock.setattr("logbuch.sdk.writer.time.monotonic_ns", lambda: elapsed[0] * 1_000_000)
        moments = [(5_000, 100), (2_000, 200), (2_100, 300), (5_600, 400), (5_599, 401), (5_600, 402), (9_000, 403)]
        for step, (wall[0], elapsed[0]) in enumerate(moments):
            logbuch.log_metric("m", step, step=step)
            logbuch.log_metrics({"row": step}, step=step)
    found = logbuch.LogbuchClient().get_metric_history(run.info.run_id, "m")
    assert [point.timestamp for point in found] == [5000, 5000, 5100, 5600, 5600, 5600, 9000]
    rows = logbuch.LogbuchClient().get_metric_history(run.info.run_id, "row")
    assert [point.timestamp for point in rows] == [point.timestamp for point in found]


def test_a_resumed_run_goes_on_behind_its_last_point(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = time.time_ns() // 1_000_000 + 3_600_000
    with logbuch.start_run() as run:
        logbuch.log_metric("m", 1, step=5, timestamp=ahead)
    with logbuch.start_run(run_id=run.info.run_id):
        logbuch.log_metric("m", 2, step=3)
    found = logbuch.LogbuchClient().get_metric_history(run.info.run_id, "m")
    assert [point.step for point in found] == [3, 5]
    assert found[0].timestamp >= ahead
    ended = run_of(run.info.run_id).info.end_time
    assert ended is not None
    assert ended >= found[0].timestamp


def test_a_cell_that_is_run_again_ends_the_run_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    monkeypatch.setattr(sys, "last_value", ValueError("of long ago"), raising=False)
    runs = [logbuch.start_run()]
    runs.append(logbuch.start_run())  # the same cell once more
    logbuch.start_run(nested=True)
    monkeypatch.setattr(sys, "last_value", ValueError("in this cell"))
    runs.append(logbuch.start_run())
    monkeypatch.setattr(sys, "last_value", KeyboardInterrupt())
    runs.append(logbuch.start_run())
    logbuch.end_run()
    found = [run_of(run.info.run_id) for run in runs]
    assert [run.info.status for run in found] == ["FINISHED", "FAILED", "KILLED", "FINISHED"]
    assert "ValueError: in this cell" in found[1].data.tags["logbuch.error"]
    assert "logbuch.error" not in found[0].data.tags


def test_flush_and_delivery(tmp_path: Path) -> None:
    with logbuch.start_run():
        logbuch.log_metric("m", 1)
        assert logbuch.log_metric("m", 2, step=1, synchronous=True) is None
        operations = logbuch.log_metrics({"m": 3}, step=2, synchronous=False)
        assert operations is not None
        operations.wait()
        assert logbuch.flush()
        assert logbuch.delivery()[:4] == (0, 3, 0, 0)
    assert (tmp_path / ".logbuch" / "logbuch.db").exists()
    assert (tmp_path / ".logbuch").stat().st_mode & 0o077 == 0


def test_lost_records_are_shown_on_the_run(caplog: pytest.LogCaptureFixture) -> None:
    with logbuch.start_run() as run:
        logbuch.log_param("p", 1)
        logbuch.flush()
        connection = connect()
        connection.forget(run.info.run_id)
        connection._writers.clear()
        other = logbuch.LogbuchClient()
        with pytest.raises(InvalidInput):
            other.log_param(run.info.run_id, "p", 2)  # known from the store
        connection.writer(run.info.run_id)._params.clear()
        other.log_param(run.info.run_id, "p", 2)  # only the store knows: found late
        logbuch.flush()
        logbuch.log_metric("after", 1)
    found = run_of(run.info.run_id)
    assert found.data.params == {"p": "1"}
    assert found.data.metrics == {"after": 1.0}
    assert found.data.tags["logbuch.records_lost"] == "1"
    assert "was refused" in caplog.text
