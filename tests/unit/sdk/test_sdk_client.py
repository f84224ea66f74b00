"""LogbuchClient over a real store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import logbuch
from logbuch.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from logbuch.errors import InvalidFilter, InvalidInput, NotFound
from logbuch.sdk import connection
from logbuch.sdk.backends import place
from logbuch.tracking import MlflowClient


@pytest.fixture
def client(tmp_path: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=str(tmp_path / "elsewhere"))


@pytest.fixture
def run_id(client: MlflowClient) -> str:
    return client.create_run("0", run_name="it", tags={"a": 1}, start_time=17).info.run_id


def test_a_run_from_begin_to_end(client: MlflowClient, run_id: str) -> None:
    client.log_metric(run_id, "m", 1.5, step=3, timestamp=99)
    client.log_param(run_id, "p", 2)
    client.set_tag(run_id, "t", "x")
    client.log_batch(run_id, [Metric("b", 1, 5, 6)], [Param("q", "1")], [RunTag("u", "2")])
    run = client.get_run(run_id)
    assert (run.info.status, run.info.start_time, run.info.run_name) == ("RUNNING", 17, "it")
    assert run.data.metrics == {"m": 1.5, "b": 1.0}
    assert run.data.params == {"p": "2", "q": "1"}
    assert {"a": "1", "t": "x", "u": "2"}.items() <= run.data.tags.items()
    assert client.get_metric_history(run_id, "m")[0].timestamp == 99
    assert client.get_metric_history(run_id, "none") == []
    client.delete_tag(run_id, "t")
    with pytest.raises(NotFound):
        client.delete_tag(run_id, "t")
    client.set_terminated(run_id, "FAILED", end_time=1234)
    assert client.get_run(run_id).info.end_time == 1234
    client.update_run(run_id, status="FINISHED", name="new")
    assert (client.get_run(run_id).info.status, client.get_run(run_id).info.run_name) == ("FINISHED", "new")


def test_runs_that_cannot_be_written_are_an_error_at_once(client: MlflowClient, run_id: str) -> None:
    with pytest.raises(NotFound):
        client.log_metric("nobody", "m", 1)
    client.delete_run(run_id)
    with pytest.raises(InvalidInput, match="deleted"):
        client.log_metric(run_id, "m", 1)
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)
    assert client.get_run(run_id).data.metrics == {"m": 1.0}


def test_long_histories_come_in_pages(client: MlflowClient, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbuch.sdk.client._HISTORY_PAGE", 100)
    client.log_batch(run_id, [Metric("m", step, step, step) for step in range(1050)])
    assert [point.value for point in client.get_metric_history(run_id, "m")] == list(range(1050))
    sampled = client.get_metric_history_bulk_interval([run_id], "m", 10, start_step=100, end_step=200)
    assert (len(sampled), sampled[0].step, sampled[-1].step, sampled[0].run_id) == (10, 100, 200, run_id)
    with pytest.raises(InvalidInput):
        client.get_metric_history_bulk_interval([run_id], "m", start_step=1)


def test_search_in_pages(client: MlflowClient) -> None:
    ids = [client.create_run("0", run_name=f"r{number}", start_time=number).info.run_id for number in range(5)]
    page = client.search_runs(["0"], max_results=2, order_by=["start_time ASC"])
    assert [run.info.run_id for run in page] == ids[:2]
    assert page.token
    following = client.search_runs(["0"], max_results=2, order_by=["start_time ASC"], page_token=page.token)
    assert [run.info.run_id for run in following] == ids[2:4]
    assert client.search_runs(["0"], run_view_type=ViewType.DELETED_ONLY).token is None
    with pytest.raises(InvalidFilter):
        client.search_runs(["0"], "metrics.m <<< 1")
    with pytest.raises(InvalidInput, match="view type"):
        client.search_runs(["0"], run_view_type=7)


def test_experiments(client: MlflowClient) -> None:
    id_ = client.create_experiment("e", tags={"a": 1})
    assert client.get_experiment(id_).tags == {"a": "1"}
    client.rename_experiment(id_, "f")
    assert client.get_experiment_by_name("e") is None
    client.set_experiment_tag(id_, "b", 2)
    client.delete_experiment_tag(id_, "a")
    assert client.get_experiment(id_).tags == {"b": "2"}
    client.delete_experiment(id_)
    assert [e.name for e in client.search_experiments(ViewType.DELETED_ONLY)] == ["f"]
    client.restore_experiment(id_)
    page = client.search_experiments(max_results=1)
    assert page.token
    assert len(client.search_experiments(max_results=1, page_token=page.token)) == 1


def test_data_sets(client: MlflowClient, run_id: str) -> None:
    client.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "local", "{}"), (InputTag("k", "v"),))])
    (used,) = client.get_run(run_id).inputs.dataset_inputs
    assert (used.dataset.name, used.tags[0].key) == ("d", "k")


def test_clients_of_two_places_do_not_meet(client: MlflowClient, run_id: str, tmp_path: Path) -> None:
    assert client.tracking_uri == str(tmp_path / "elsewhere")
    with pytest.raises(NotFound):
        MlflowClient().get_run(run_id)
    assert len(connection.connections()) == 2


def test_another_process_is_seen(client: MlflowClient, run_id: str) -> None:
    """A second connection to the same file stands for another process."""
    client.log_metric(run_id, "m", 1)
    client.close()
    uri = f"sqlite:///{client.tracking_uri}/logbuch.db"
    logbuch.set_tracking_uri(uri)
    logbuch.log_metric("n", 2, run_id=run_id)
    logbuch.flush()
    assert client.get_run(run_id).data.metrics == {"m": 1.0, "n": 2.0}


def test_who_reads_what_has_not_arrived_is_told_so_now_and_then(
    client: MlflowClient, run_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = connection.connect(client.tracking_uri)
    other = sqlite3.connect(place.understand(client.tracking_uri).database, isolation_level=None)  # type: ignore[union-attr]
    with closing(other), monkeypatch.context() as hasty:
        hasty.setattr(connection, "READ_SECONDS", 0.1)
        other.execute("BEGIN IMMEDIATE")
        client.log_metric(run_id, "m", 1.0)
        assert [dict(client.get_run(run_id).data.metrics) for _ in range(2)] == [{}, {}]
        assert capsys.readouterr().err.count("may lack the newest") == 1
        found._tell_again = 0.0
        client.get_run(run_id)
        assert capsys.readouterr().err.count("may lack the newest") == 1
        other.execute("ROLLBACK")
    assert client.get_run(run_id).data.metrics == {"m": 1.0}
    assert capsys.readouterr().err == ""
