"""Saved views of an experiment."""

from __future__ import annotations

import pytest

from logbuch.errors import AlreadyExists, InvalidInput, NotFound
from logbuch.store import Store, experiments, views


@pytest.fixture
def experiment(store: Store) -> str:
    return store.write(experiments.create, "sweep")


def names(store: Store, experiment: str) -> list[str]:
    return [view.name for view in store.read(views.of_experiment, experiment)]


def test_a_view_is_saved_changed_and_removed(store: Store, experiment: str) -> None:
    made = store.write(views.create, experiment, "LoRA", "q=a")
    assert (made.experiment_id, made.state, made.is_default) == (experiment, "q=a", False)
    assert store.write(views.change, made.view_id, "LoRA 2", None).name == "LoRA 2"
    assert store.write(views.change, made.view_id, None, "q=b").state == "q=b"
    assert names(store, experiment) == ["LoRA 2"]
    store.write(views.remove, made.view_id)
    assert names(store, experiment) == []
    with pytest.raises(NotFound):
        store.write(views.remove, made.view_id)


def test_a_name_stands_once_in_an_experiment(store: Store, experiment: str) -> None:
    made = store.write(views.create, experiment, "a", "")
    other = store.write(views.create, experiment, "b", "")
    with pytest.raises(AlreadyExists):
        store.write(views.create, experiment, "a", "")
    with pytest.raises(AlreadyExists):
        store.write(views.change, other.view_id, "a", None)
    assert store.write(views.change, made.view_id, "a", "x").state == "x"
    elsewhere = store.write(experiments.create, "other")
    assert store.write(views.create, elsewhere, "a", "").experiment_id == elsewhere


def test_at_most_one_view_is_the_default(store: Store, experiment: str) -> None:
    first, second = (store.write(views.create, experiment, name, "").view_id for name in "ab")
    for chosen in (first, second, None):
        store.write(views.set_default, experiment, chosen)
        defaults = [view.view_id for view in store.read(views.of_experiment, experiment) if view.is_default]
        assert defaults == ([chosen] if chosen else [])
    other = store.write(experiments.create, "other")
    with pytest.raises(InvalidInput, match="belongs to"):
        store.write(views.set_default, other, first)


@pytest.mark.parametrize(("name", "state"), [("", ""), (" ", ""), ("x" * 201, ""), ("a\0", ""), ("a", "x" * 100_001)])
def test_bad_views_are_refused(store: Store, experiment: str, name: str, state: str) -> None:
    with pytest.raises(InvalidInput):
        store.write(views.create, experiment, name, state)
    assert names(store, experiment) == []


def test_views_need_their_experiment(store: Store) -> None:
    with pytest.raises(NotFound):
        store.read(views.of_experiment, "999")
    with pytest.raises(NotFound):
        store.write(views.create, "999", "a", "")
