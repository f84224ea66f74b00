"""Runs, params, tags and data sets, on both databases."""

from __future__ import annotations

import pytest

from logbuch.errors import AlreadyExists, InvalidInput, NotFound
from logbuch.model import Dataset, DatasetInput, Metric, Param, RunStatus, Tag
from logbuch.store import Store, batch, experiments, inputs, runs
from logbuch.store.runs import NewRun


def new_run(store: Store, **more: object) -> str:
    return store.write(runs.create, NewRun(experiment_id="0", **more)).info.run_id  # type: ignore[arg-type]


def test_a_new_run_has_a_name_an_id_and_runs(store: Store) -> None:
    run = store.write(runs.create, NewRun(experiment_id="0", start_time=5, user_id="ada"))
    assert run.info.status is RunStatus.RUNNING
    assert (run.info.start_time, run.info.end_time, run.info.user_id) == (5, None, "ada")
    assert run.info.run_name == run.data.tags["mlflow.runName"] != ""
    assert run.info.artifact_uri == f"mlflow-artifacts:/0/{run.info.run_id}/artifacts"
    assert store.read(runs.get, run.info.run_id) == run


def test_name_and_name_tag_are_one(store: Store) -> None:
    assert store.read(runs.get, new_run(store, run_name="a")).data.tags["mlflow.runName"] == "a"
    run_id = new_run(store, tags=(Tag(key="mlflow.runName", value="b"),))
    assert store.read(runs.get, run_id).info.run_name == "b"
    store.write(runs.set_tags, run_id, [Tag(key="mlflow.runName", value="c")])
    assert store.read(runs.get, run_id).info.run_name == "c"
    store.write(runs.update_run, run_id, run_name="d")
    assert store.read(runs.get, run_id).data.tags["mlflow.runName"] == "d"
    with pytest.raises(InvalidInput, match="different values"):
        new_run(store, run_name="a", tags=(Tag(key="mlflow.runName", value="b"),))


def test_a_client_may_choose_the_id_once(store: Store) -> None:
    assert new_run(store, run_id="chosen-1") == "chosen-1"
    with pytest.raises(AlreadyExists):
        new_run(store, run_id="chosen-1")
    with pytest.raises(InvalidInput):
        new_run(store, run_id="../x")


def test_ending_and_resuming(store: Store) -> None:
    run_id = new_run(store)
    ended = store.write(runs.update_run, run_id, RunStatus.FINISHED, 9)
    assert (ended.status, ended.end_time) == (RunStatus.FINISHED, 9)
    again = store.write(runs.update_run, run_id, RunStatus.RUNNING)
    assert (again.status, again.end_time) == (RunStatus.RUNNING, None)


def test_deleted_runs_are_read_but_not_written(store: Store) -> None:
    run_id = new_run(store)
    for _ in range(2):
        store.write(runs.delete, run_id)
    assert store.read(runs.get, run_id).info.lifecycle_stage == "deleted"
    for write, *arguments in (
        (runs.set_tags, [Tag(key="a", value="b")]),
        (runs.update_run, RunStatus.FAILED),
        (runs.delete_tag, "a"),
        (batch.log_batch, [Metric(key="m", value=1, timestamp=1)]),
        (batch.log_inputs, []),
    ):
        with pytest.raises(InvalidInput, match="active"):
            store.write(write, run_id, *arguments)  # type: ignore[arg-type]
    for _ in range(2):
        store.write(runs.restore, run_id)
    store.write(runs.set_tags, run_id, [Tag(key="a", value="b")])


@pytest.mark.parametrize("run_id", ["nope", "", "\0", "x" * 400, "é", "\ud800"])
def test_an_unknown_run_is_a_client_error(store: Store, run_id: str) -> None:
    with pytest.raises((NotFound, InvalidInput)):
        store.read(runs.get, run_id)


def test_params_are_written_once(store: Store) -> None:
    run_id = new_run(store)
    lr = Param(key="lr", value="0.1")
    for _ in range(2):
        store.write(batch.log_batch, run_id, (), [lr])
    with pytest.raises(InvalidInput, match="Changing param values is not allowed"):
        store.write(batch.log_batch, run_id, (), [Param(key="lr", value="0.2")])
    with pytest.raises(InvalidInput, match="Duplicate parameter keys"):
        store.write(batch.log_batch, run_id, (), [Param(key="d", value="1"), Param(key="d", value="1")])
    assert store.read(runs.get, run_id).data.params == {"lr": "0.1"}


def test_a_batch_that_breaks_a_rule_leaves_nothing(store: Store) -> None:
    run_id = new_run(store)
    store.write(batch.log_batch, run_id, (), [Param(key="lr", value="1")])
    before = store.read(runs.get, run_id)
    good = [Metric(key="m", value=1, timestamp=1)], [Param(key="fresh", value="1")], [Tag(key="t", value="1")]
    for metrics, params, tags in (
        ([*good[0], Metric(key="a\nb", value=1, timestamp=1)], good[1], good[2]),
        ([*good[0], Metric(key="m", value=1, timestamp=2**63)], good[1], good[2]),
        (good[0], [*good[1], Param(key="lr", value="2")], good[2]),
        (good[0], [*good[1], Param(key="nul", value="a\0")], good[2]),
        (good[0], good[1], [*good[2], Tag(key="../x", value="")]),
        (good[0] * 1001, good[1], good[2]),
    ):
        with pytest.raises(InvalidInput):
            store.write(batch.log_batch, run_id, metrics, params, tags)
    assert store.read(runs.get, run_id) == before


def test_long_values_are_cut_as_mlflow_cuts_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = new_run(store)
    long = [Param(key="p", value="x" * 6001)], [Tag(key="t", value="y" * 8001)]
    for _ in range(2):
        store.write(batch.log_batch, run_id, (), *long)
    data = store.read(runs.get, run_id).data
    assert (len(data.params["p"]), len(data.tags["t"])) == (6000, 8000)
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    with pytest.raises(InvalidInput, match="maximum length"):
        store.write(batch.log_batch, run_id, (), *long)


def test_of_tags_in_one_batch_the_last_wins(store: Store) -> None:
    run_id = new_run(store)
    store.write(batch.log_batch, run_id, (), (), [Tag(key="t", value="1"), Tag(key="t", value="2")])
    assert store.read(runs.get, run_id).data.tags["t"] == "2"
    store.write(runs.delete_tag, run_id, "t")
    assert "t" not in store.read(runs.get, run_id).data.tags
    with pytest.raises(NotFound):
        store.write(runs.delete_tag, run_id, "t")


@pytest.mark.parametrize("key", ["a", "train/loss", "val loss", "a.b-c:d_e", "ünïcode", "x" * 250])
def test_keys_that_mlflow_allows(store: Store, key: str) -> None:
    run_id = new_run(store)
    store.write(
        batch.log_batch,
        run_id,
        [Metric(key=key, value=1, timestamp=1)],
        [Param(key=key, value="v")],
        [Tag(key=key, value="w")],
    )
    data = store.read(runs.get, run_id).data
    assert (data.metrics[key], data.params[key], data.tags[key]) == (1, "v", "w")


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/..", ".", "a/", "a\nb", "a;b", "x" * 251, "a\0", "é😀"])
def test_keys_that_mlflow_refuses(store: Store, key: str) -> None:
    run_id = new_run(store)
    for arguments in (
        ([Metric(key=key, value=1, timestamp=1)],),
        ((), [Param(key=key, value="v")]),
        ((), (), [Tag(key=key, value="w")]),
    ):
        with pytest.raises(InvalidInput):
            store.write(batch.log_batch, run_id, *arguments)


def test_data_sets_are_kept_once_an_experiment(store: Store) -> None:
    experiment = store.write(experiments.create, "data")
    ids = [store.write(runs.create, NewRun(experiment_id=experiment)).info.run_id for _ in range(2)]
    described = Dataset(name="aws", digest="d1", source_type="local", source="{}", schema="{}", profile=None)
    for run_id, context in zip(ids, ("train", "eval"), strict=True):
        used = DatasetInput(dataset=described, tags=(Tag(key="mlflow.data.context", value=context),))
        for _ in range(2):
            store.write(batch.log_inputs, run_id, [used])
        assert store.read(runs.get, run_id).inputs.dataset_inputs == (used,)
    summaries = store.read(inputs.summaries, [experiment])
    assert sorted((item.name, item.digest, item.context or "") for item in summaries) == [
        ("aws", "d1", "eval"),
        ("aws", "d1", "train"),
    ]
    with pytest.raises(InvalidInput, match="digest"):
        bad = Dataset(name="n", digest="", source_type="s", source="s")
        store.write(batch.log_inputs, ids[0], [DatasetInput(dataset=bad)])
