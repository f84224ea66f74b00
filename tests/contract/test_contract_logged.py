"""Logged models, on both databases."""

from __future__ import annotations

import math
from typing import Any

import pytest

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound
from logbuch.logged import LoggedModel, LoggedModelStatus, ModelMetric
from logbuch.model import Param, RunModel, Tag
from logbuch.store import Store, batch, experiments, runs
from logbuch.store.logged import models, search
from logbuch.store.logged.models import NewLoggedModel
from logbuch.store.logged.search import LoggedModelQuery, OfDataset, OrderOf
from logbuch.store.registry import made, versions
from logbuch.store.registry import models as registered
from logbuch.store.registry.versions import NewVersion
from logbuch.store.runs import NewRun


@pytest.fixture
def run_id(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0")).info.run_id


def log(store: Store, name: str = "model", **more: Any) -> LoggedModel:
    return store.write(models.create, NewLoggedModel(**{"experiment_id": "0", "name": name} | more))


def point(model: LoggedModel, value: float, step: int = 0, key: str = "acc", **more: Any) -> ModelMetric:
    return ModelMetric(key=key, value=value, timestamp=1 + step, step=step, model_id=model.model_id, **more)


def measure(store: Store, run_id: str, *points: ModelMetric) -> None:
    store.write(batch.log_batch, run_id, points, linked=points)


def found(store: Store, text: str = "", *order: OrderOf, datasets: tuple[OfDataset, ...] = ()) -> list[str]:
    query = LoggedModelQuery(experiment_ids=("0",), filter=text, order=order, datasets=datasets)
    return [noun.name for noun in store.read(search.find, query)[0]]


def test_a_model_is_pending_until_it_is_finalized(store: Store, run_id: str) -> None:
    made = log(
        store,
        source_run_id=run_id,
        model_type="agent",
        params=(Param(key="lr", value="0.1"),),
        tags=(Tag(key="team", value="a"),),
    )
    assert made == store.read(models.get, made.model_id)
    assert made.status is LoggedModelStatus.PENDING
    assert made.artifact_location == f"mlflow-artifacts:/0/models/{made.model_id}/artifacts"
    assert (made.params, made.tags, made.source_run_id, made.model_type) == (
        {"lr": "0.1"},
        {"team": "a"},
        run_id,
        "agent",
    )
    assert made.model_uri == f"models:/{made.model_id}"
    ready = store.write(models.finalize, made.model_id, LoggedModelStatus.READY)
    assert ready.status is LoggedModelStatus.READY
    with pytest.raises(InvalidInput, match="status"):
        store.write(models.finalize, made.model_id, LoggedModelStatus.UNSPECIFIED)


@pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "a\0b", " ", "x" * 501])
def test_a_bad_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput):
        log(store, name)


def test_a_model_without_a_name_gets_one(store: Store) -> None:
    assert log(store, "").name.count("-") == 2


def test_a_model_needs_an_active_experiment(store: Store) -> None:
    with pytest.raises(NotFound):
        log(store, experiment_id="99")
    gone = store.write(experiments.create, "gone")
    store.write(experiments.delete_experiment, gone)
    with pytest.raises(InvalidInput):
        log(store, experiment_id=gone)


def test_tags_and_params(store: Store) -> None:
    made = log(store, params=(Param(key="lr", value="0.1"),))
    store.write(models.set_tags, made.model_id, [Tag(key="a", value="1"), Tag(key="b", value="2")])
    store.write(models.set_tags, made.model_id, [Tag(key="a", value="3")])
    store.write(models.delete_tag, made.model_id, "b")
    assert store.read(models.get, made.model_id).tags == {"a": "3"}
    with pytest.raises(NotFound, match="'b'"):
        store.write(models.delete_tag, made.model_id, "b")
    store.write(models.log_params, made.model_id, [Param(key="lr", value="0.1"), Param(key="rank", value="8")])
    with pytest.raises(InvalidInput, match="Changing param values"):
        store.write(models.log_params, made.model_id, [Param(key="new", value="1"), Param(key="lr", value="0.2")])
    assert store.read(models.get, made.model_id).params == {"lr": "0.1", "rank": "8"}


def test_a_deleted_model_is_gone(store: Store) -> None:
    made = log(store)
    store.write(models.delete_model, made.model_id)
    store.write(models.delete_model, made.model_id)
    with pytest.raises(NotFound):
        store.read(models.get, made.model_id)
    assert found(store) == []
    for unknown in ("m-nobody", "", "a\0b"):
        with pytest.raises(NotFound):
            store.write(models.delete_model, unknown)


def test_metrics_of_a_model_are_those_that_name_it(store: Store, run_id: str) -> None:
    made = log(store)
    measure(store, run_id, point(made, 0.5, 1), point(made, math.nan, 2), point(made, -0.0, 3, dataset_name="d"))
    measure(store, run_id, point(made, 0.5, 1), point(made, math.inf, 2, key="loss"))
    store.write(batch.log_batch, run_id, [ModelMetric(key="acc", value=9.0, timestamp=9, step=9)])
    seen = [
        (p.key, p.step, repr(p.value), p.dataset_name, p.run_id) for p in store.read(models.get, made.model_id).metrics
    ]
    assert seen == [
        ("acc", 1, "0.5", "", run_id),
        ("acc", 2, "nan", "", run_id),
        ("acc", 3, "-0.0", "d", run_id),
        ("loss", 2, "inf", "", run_id),
    ]
    assert store.read(runs.get, run_id).data.metrics["acc"] == 9.0


def test_a_metric_of_an_unknown_model_leaves_nothing_behind(store: Store, run_id: str) -> None:
    stranger = ModelMetric(key="acc", value=1.0, timestamp=1, model_id="m-nobody")
    with pytest.raises(InvalidInput, match="m-nobody"):
        measure(store, run_id, stranger)
    assert store.read(runs.get, run_id).data.metrics == {}


def test_runs_know_the_models_that_they_made_and_used(store: Store, run_id: str) -> None:
    made = log(store)
    store.write(batch.log_outputs, run_id, [RunModel(model_id=made.model_id, step=3)])
    store.write(batch.log_outputs, run_id, [RunModel(model_id=made.model_id, step=5)])
    store.write(batch.log_inputs, run_id, [], [RunModel(model_id="m-base")])
    run = store.read(runs.get, run_id)
    assert run.outputs.model_outputs == (RunModel(model_id=made.model_id, step=5),)
    assert run.inputs.model_inputs == (RunModel(model_id="m-base"),)
    store.write(runs.delete, run_id)
    with pytest.raises(InvalidInput, match="deleted"):
        store.write(batch.log_outputs, run_id, [RunModel(model_id=made.model_id)])


def test_a_run_shows_its_models_and_the_versions_made_of_them(store: Store, run_id: str) -> None:
    linked, sourced, base, gone = log(store), log(store, source_run_id=run_id), log(store, "base"), log(store)
    log(store, "of nobody")
    store.write(batch.log_outputs, run_id, [RunModel(model_id=one.model_id, step=3) for one in (linked, gone)])
    store.write(batch.log_inputs, run_id, [], [RunModel(model_id=base.model_id)])
    store.write(models.delete_model, gone.model_id)
    store.write(registered.create, "lora")
    for source in (f"runs:/{run_id}/model", linked.model_uri, base.model_uri):
        store.write(versions.create, NewVersion(name="lora", source=source))
    found = store.read(made.of_run, run_id)
    assert [(one.model.model_id, one.step) for one in found.made] == [(sourced.model_id, None), (linked.model_id, 3)]
    assert [one.model.model_id for one in found.used] == [base.model_id]
    assert [version.version for version in found.versions] == ["2", "1"]
    assert (found.made_total, found.used_total, found.versions_total) == (2, 1, 2)


def test_a_run_with_many_models_shows_the_newest(store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MODELS_OF_RUN", 2)
    ids = [log(store, source_run_id=run_id).model_id for _ in range(3)]
    found = store.read(made.of_run, run_id)
    assert ([one.model.model_id for one in found.made], found.made_total) == (ids[:0:-1], 3)


def test_versions_that_were_made_of_a_model_are_named_by_it(store: Store, run_id: str) -> None:
    made = log(store, source_run_id=run_id)
    store.write(registered.create, "lora")
    new = NewVersion(name="lora", source=made.model_uri, model_id=made.model_id)
    version = store.write(versions.create, new)
    assert (version.model_id, version.run_id, version.location) == (made.model_id, run_id, made.artifact_location)
    by_place = store.write(versions.create, NewVersion(name="lora", source=f"{made.artifact_location}/sub"))
    assert (by_place.model_id, by_place.location) == (made.model_id, f"{made.artifact_location}/sub")
    registrations = store.read(models.get, made.model_id).registrations
    assert [(one.name, one.version) for one in registrations] == [("lora", "1"), ("lora", "2")]
    with pytest.raises(InvalidInput, match="model_id"):
        store.write(versions.create, NewVersion(name="lora", source=made.model_uri, model_id=f"m-{'0' * 32}"))
    with pytest.raises(InvalidInput, match="no run and no logged model"):
        elsewhere = made.artifact_location.replace("/0/", "/1/")
        store.write(versions.create, NewVersion(name="lora", source=elsewhere))


def test_search(store: Store, run_id: str) -> None:
    one = log(store, "one", source_run_id=run_id, params=(Param(key="lr", value="0.1"),))
    two = log(store, "two", tags=(Tag(key="team", value="a"),), model_type="agent")
    log(store, "three")
    store.write(models.finalize, two.model_id, LoggedModelStatus.READY)
    measure(
        store, run_id, point(one, 0.9, 1), point(one, 0.2, 2), point(two, 0.5, 1, dataset_name="d", dataset_digest="1")
    )
    for text, expected in (
        ("", ["three", "two", "one"]),
        ("name = 'one'", ["one"]),
        ("attributes.name LIKE 't%'", ["three", "two"]),
        (f"source_run_id = '{run_id}'", ["one"]),
        (f"model_id = '{two.model_id}'", ["two"]),
        ("experiment_id = '0' AND name = 'one'", ["one"]),
        ("status = 'READY'", ["two"]),
        ("status = 'LOGGED_MODEL_READY'", []),  # MLflow knows the short names alone, too
        ("status != 'READY'", ["three", "one"]),
        ("model_type = 'agent'", ["two"]),
        ("params.lr = '0.1'", ["one"]),
        ("tags.team = 'a'", ["two"]),
        ("tags.team IS NULL", ["three", "one"]),
        ("metrics.acc > 0.8", ["one"]),
        ("metrics.acc <= 0.5", ["two", "one"]),
        ("metrics.acc IS NULL", ["three"]),
        ("metrics.acc > 0.8 OR model_type = 'agent'", ["two", "one"]),
        ("creation_time > 0", ["three", "two", "one"]),
    ):
        assert found(store, text) == expected, text
    for text in ("nonsense = 1", "metrics.acc = 'x'", "datasets.name = 'd'"):
        with pytest.raises(InvalidInput):
            found(store, text)


def test_order(store: Store, run_id: str) -> None:
    one, two, three = log(store, "one"), log(store, "two"), log(store, "three")
    log(store, "none")
    measure(store, run_id, point(one, 0.9, 1), point(one, 0.2, 2), point(two, 0.5, 1), point(three, math.nan, 1))
    measure(store, run_id, point(two, 0.1, 9, dataset_name="d"))
    latest = OrderOf(field="metrics.acc")
    assert found(store, "", latest) == ["two", "one", "three", "none"], "latest value, then NaN, then none"
    assert found(store, "", OrderOf(field="metrics.acc", ascending=False)) == ["one", "two", "three", "none"]
    on_d = OrderOf(field="metrics.acc", dataset=OfDataset(name="d"))
    assert found(store, "", on_d)[0] == "two"
    assert found(store, "", OrderOf(field="name")) == ["none", "one", "three", "two"]
    assert found(store, "", OrderOf(field="creation_time")) == ["one", "two", "three", "none"]
    for field in ("params.lr", "nonsense", ""):
        with pytest.raises(InvalidInput):
            found(store, "", OrderOf(field=field))


def test_with_data_sets_only_metrics_on_these_count(store: Store, run_id: str) -> None:
    one, two = log(store, "one"), log(store, "two")
    measure(store, run_id, point(one, 0.9, 1, dataset_name="d", dataset_digest="1"), point(two, 0.9, 1))
    assert found(store, datasets=(OfDataset(name="d"),)) == ["one"]
    assert found(store, "metrics.acc > 0.5", datasets=(OfDataset(name="d", digest="1"),)) == ["one"]
    assert found(store, "metrics.acc > 0.95", datasets=(OfDataset(name="d"),)) == []
    assert found(store, datasets=(OfDataset(name="d", digest="2"),)) == []


def test_pages(store: Store, run_id: str) -> None:
    for number in range(7):
        measure(store, run_id, point(log(store, f"m{number}"), number % 3))
    for order in ((), (OrderOf(field="name"),), (OrderOf(field="metrics.acc", ascending=False),)):
        query = LoggedModelQuery(experiment_ids=("0",), order=order)
        seen, token = [], ""
        while token is not None:
            page, token = store.read(search.find, query, 3, token)
            seen += [noun.name for noun in page]
        assert seen == found(store, "", *order)
        assert len(seen) == 7
    _, token = store.read(search.find, LoggedModelQuery(experiment_ids=("0",)), 3)
    with pytest.raises(InvalidInput, match="page_token"):
        store.read(search.find, LoggedModelQuery(experiment_ids=("0",), filter="name != 'x'"), 3, token or "")
