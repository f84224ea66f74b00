"""Experiments, on both databases."""

from __future__ import annotations

import pytest

from logbuch.errors import AlreadyExists, InvalidInput, InvalidState, NotFound
from logbuch.model import LifecycleStage, Tag, ViewType
from logbuch.store import Store, experiments, runs, search
from logbuch.store.runs import NewRun


def test_a_fresh_store_has_the_default_experiment(store: Store) -> None:
    default = store.read(experiments.get, "0")
    assert (default.name, default.lifecycle_stage) == ("Default", LifecycleStage.ACTIVE)
    assert default.artifact_location == "mlflow-artifacts:/0"


def test_created_with_tags_and_found_by_name(store: Store) -> None:
    id_ = store.write(experiments.create, "lora/sweep", "", [Tag(key="phase", value="1")])
    found = store.read(experiments.get_by_name, "lora/sweep")
    assert found.experiment_id == id_
    assert dict(found.tags) == {"phase": "1"}
    assert found.creation_time == found.last_update_time > 0


@pytest.mark.parametrize("name", ["", "  ", "x" * 501, "a\0b", "\ud800"])
def test_a_bad_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput):
        store.write(experiments.create, name)


def test_a_name_is_taken_once_also_by_a_deleted_experiment(store: Store) -> None:
    id_ = store.write(experiments.create, "taken")
    with pytest.raises(AlreadyExists):
        store.write(experiments.create, "taken")
    store.write(experiments.delete_experiment, id_)
    with pytest.raises(AlreadyExists, match="deleted state"):
        store.write(experiments.create, "taken")


def test_rename(store: Store) -> None:
    id_ = store.write(experiments.create, "before")
    store.write(experiments.create, "other")
    store.write(experiments.rename, id_, "after")
    assert store.read(experiments.get, id_).name == "after"
    store.write(experiments.rename, id_, "after")
    with pytest.raises(AlreadyExists):
        store.write(experiments.rename, id_, "other")
    store.write(experiments.delete_experiment, id_)
    with pytest.raises(InvalidState, match="deleted"):
        store.write(experiments.rename, id_, "again")


def test_deletion_takes_the_runs_along_and_restoring_brings_back_just_those(store: Store) -> None:
    id_ = store.write(experiments.create, "life")
    kept = store.write(runs.create, NewRun(experiment_id=id_)).info.run_id
    gone = store.write(runs.create, NewRun(experiment_id=id_)).info.run_id
    store.write(runs.delete, gone)
    store.write(experiments.delete_experiment, id_)
    assert store.read(runs.get, kept).info.lifecycle_stage == "deleted"
    with pytest.raises(InvalidInput, match="active"):
        store.write(runs.create, NewRun(experiment_id=id_))
    store.write(experiments.restore, id_)
    assert store.read(runs.get, kept).info.lifecycle_stage == "active"
    assert store.read(runs.get, gone).info.lifecycle_stage == "deleted"
    with pytest.raises(NotFound):
        store.write(experiments.restore, id_)
    store.write(experiments.delete_experiment, id_)
    with pytest.raises(NotFound):
        store.write(experiments.delete_experiment, id_)


def test_tags_are_set_replaced_and_deleted(store: Store) -> None:
    id_ = store.write(experiments.create, "tagged")
    for value in ("a", "b"):
        store.write(experiments.set_tag, id_, Tag(key="k", value=value))
    assert dict(store.read(experiments.get, id_).tags) == {"k": "b"}
    store.write(experiments.delete_tag, id_, "k")
    assert not store.read(experiments.get, id_).tags
    with pytest.raises(NotFound):
        store.write(experiments.delete_tag, id_, "k")


@pytest.mark.parametrize("id_", ["17", "x", "", "-1", "1e3", "٣", "9" * 30, "0\0", "01"])
def test_an_unknown_experiment_is_not_found(store: Store, id_: str) -> None:
    with pytest.raises(NotFound):
        store.read(experiments.get, id_)


def test_search_by_name_tag_time_and_view(store: Store) -> None:
    ids = [store.write(experiments.create, f"s/{name}", "", [Tag(key="n", value=name)]) for name in "abc"]
    store.write(experiments.delete_experiment, ids[2])

    def names(filter_: str = "", view: ViewType = ViewType.ACTIVE_ONLY, *order: str) -> list[str]:
        return [found.name for found in store.read(search.experiments, filter_, order, view=view)[0]]

    assert names() == ["s/b", "s/a", "Default"]
    assert names("", ViewType.DELETED_ONLY) == ["s/c"]
    assert names("name LIKE 's/%'", ViewType.ALL, "name DESC") == ["s/c", "s/b", "s/a"]
    assert names("name ILIKE 'S/%' AND tags.n = 'a'") == ["s/a"]
    assert names("tags.n != 'a'") == ["s/b"]
    assert names("tags.n IS NULL") == ["Default"]
    assert names("NOT tags.n = 'a'") == ["s/b", "Default"]
    assert names(f"experiment_id IN ('{ids[0]}', '{ids[1]}')", ViewType.ACTIVE_ONLY, "name") == ["s/a", "s/b"]
    assert names("creation_time > 0 AND last_update_time < 99999999999999") == ["s/b", "s/a", "Default"]


def test_pages_cover_everything_once(store: Store) -> None:
    for number in range(7):
        store.write(experiments.create, f"p{number}")
    seen, token = [], ""
    while token is not None:
        found, token = store.read(search.experiments, "", ["name ASC"], 3, token)
        seen += [item.name for item in found]
    assert seen == sorted(["Default", *(f"p{number}" for number in range(7))])


@pytest.mark.parametrize("token", ["nonsense", "e30=", "WzFd", "é"])
def test_a_foreign_page_token_is_refused(store: Store, token: str) -> None:
    with pytest.raises(InvalidInput, match="page_token"):
        store.read(search.experiments, page_token=token)
