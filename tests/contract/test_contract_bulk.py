"""Many runs at once: tags, deletion, restoring, moving, removal for good."""

from __future__ import annotations

import pytest

from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Dataset, DatasetInput, Metric, RunStatus, Tag, ViewType
from logbuch.store import Store, batch, bulk, changes, experiments, inputs, runs, search, table
from logbuch.store.bulk import TagChange

DATA = Dataset(name="wiki", digest="d1", source_type="local", source="/data/wiki")


@pytest.fixture
def home(store: Store) -> str:
    return store.write(experiments.create, "home")


def make(store: Store, experiment: str, count: int) -> list[str]:
    made = []
    for number in range(count):
        new = runs.NewRun(experiment_id=experiment, run_name=f"r{number}", start_time=number)
        run_id = store.write(runs.create, new).info.run_id
        store.write(batch.log_batch, run_id, [Metric(key="loss", value=number, timestamp=1, step=1)])
        made.append(run_id)
    return made


def found(store: Store, experiment: str, **how: object) -> list[str]:
    query = search.RunQuery([experiment], "", ("start_time ASC",), ViewType.ACTIVE_ONLY)
    page = store.read(table.page, query, ["metrics.loss"], 100, **how)  # type: ignore[arg-type]
    return [run.run_id for run in page.runs]


def by_loss(store: Store, experiment: str) -> list[str]:
    query = search.RunQuery([experiment], "metrics.loss >= 0", ("metrics.loss DESC",), ViewType.ACTIVE_ONLY)
    return [run.run_id for run in store.read(table.page, query, [], 100).runs]


def tag_of(store: Store, run_id: str, key: str) -> str | None:
    return store.read(runs.get, run_id).data.tags.get(key)


def test_tags_are_set_and_removed_and_what_was_there_undoes_it(store: Store, home: str) -> None:
    a, b = make(store, home, 2)
    store.write(runs.set_tags, a, [Tag(key="phase", value="old"), Tag(key="gone", value="x")])
    wanted = [
        TagChange(run_id=a, key="phase", value="new"),
        TagChange(run_id=b, key="phase", value="new"),
        TagChange(run_id=a, key="gone"),
        TagChange(run_id=b, key="gone"),
    ]
    before = store.write(bulk.set_tags, [a, b], wanted)
    assert [change.value for change in before] == ["old", None, "x", None]
    assert [tag_of(store, run, "phase") for run in (a, b)] == ["new", "new"]
    assert tag_of(store, a, "gone") is None
    store.write(bulk.set_tags, [a, b], before)
    assert [tag_of(store, run, "phase") for run in (a, b)] == ["old", None]
    assert tag_of(store, a, "gone") == "x"


def test_one_bad_tag_changes_nothing(store: Store, home: str) -> None:
    a, b = make(store, home, 2)
    store.write(runs.delete, b)
    for changed, message in (
        ([TagChange(run_id=a, key="k", value="v"), TagChange(run_id=b, key="k", value="v")], "active"),
        ([TagChange(run_id=a, key="k", value="v"), TagChange(run_id=a, key="../x", value="v")], "key"),
        ([TagChange(run_id=a, key="k", value="v"), TagChange(run_id=a, key=runs.NAME_TAG)], "name"),
    ):
        with pytest.raises(InvalidInput, match=message):
            store.write(bulk.set_tags, [change.run_id for change in changed], changed)
        assert tag_of(store, a, "k") is None


def test_deleting_and_restoring_tell_what_they_changed(store: Store, home: str) -> None:
    a, b, c = make(store, home, 3)
    store.write(runs.delete, b)
    position = store.read(changes.cursor)
    assert sorted(store.write(bulk.delete, [a, b, a])) == [a]
    assert found(store, home) == [c]
    assert len(store.read(changes.since, position)[0]) == 1
    assert store.write(bulk.restore, [a]) == [a]
    assert found(store, home) == [a, c]
    with pytest.raises(NotFound):
        store.write(bulk.delete, [c, "nobody"])
    assert found(store, home) == [a, c]


def test_a_moved_run_is_found_there_and_its_artifacts_keep_their_address(store: Store, home: str) -> None:
    a, b = make(store, home, 2)
    store.write(batch.log_inputs, a, [DatasetInput(dataset=DATA, tags=(Tag(key="context", value="train"),))])
    address = store.read(runs.get, a).info.artifact_uri
    other = store.write(experiments.create, "other")
    assert store.write(bulk.move, [a], other) == {home: [a]}
    assert (found(store, home), found(store, other), by_loss(store, other)) == ([b], [a], [a])
    assert by_loss(store, home) == [b]
    moved = store.read(runs.get, a)
    assert (moved.info.experiment_id, moved.info.artifact_uri) == (other, address)
    assert moved.inputs.dataset_inputs == (DatasetInput(dataset=DATA, tags=(Tag(key="context", value="train"),)),)
    assert [known.name for known in store.read(inputs.summaries, [other])] == ["wiki"]
    by_address = search.RunQuery([other], f"attributes.artifact_uri = '{address}'", (), ViewType.ACTIVE_ONLY)
    assert len(store.read(table.page, by_address, [], 10).runs) == 1
    store.write(batch.log_batch, a, [Metric(key="later", value=1, timestamp=1, step=1)])
    of_later = search.RunQuery([other], "metrics.later = 1", ("metrics.later ASC",), ViewType.ACTIVE_ONLY)
    assert len(store.read(table.page, of_later, [], 10).runs) == 1
    assert store.write(bulk.move, [a], other) == {}
    store.write(bulk.move, [a], home)
    assert found(store, home) == [a, b]
    assert store.read(runs.get, a).info.artifact_uri == address


def test_a_run_moves_only_to_an_active_experiment(store: Store, home: str) -> None:
    (a,) = make(store, home, 1)
    gone = store.write(experiments.create, "gone")
    store.write(experiments.delete_experiment, gone)
    with pytest.raises(InvalidInput):
        store.write(bulk.move, [a], gone)
    with pytest.raises(NotFound):
        store.write(bulk.move, [a], "99999")
    assert found(store, home) == [a]


def test_only_a_deleted_run_is_removed_and_then_nothing_of_it_is_left(store: Store, home: str) -> None:
    a, b = make(store, home, 2)
    store.write(runs.update_run, a, RunStatus.FINISHED, 9)
    store.write(runs.delete, a)
    with pytest.raises(InvalidInput, match="active"):
        store.write(bulk.purge, [a, b])
    (removed,) = store.write(bulk.purge, [a])
    assert (removed.run_id, removed.prefix) == (a, f"{home}/{a}")
    with pytest.raises(NotFound):
        store.read(runs.get, a)
    assert store.read(runs.get, b).data.metrics == {"loss": 1}
    again = store.write(runs.create, runs.NewRun(experiment_id=home, run_id=a))
    assert again.data.metrics == {}


def test_a_page_may_begin_anywhere(store: Store, home: str) -> None:
    made = make(store, home, 7)
    silent = store.write(runs.create, runs.NewRun(experiment_id=home, start_time=99)).info.run_id
    everywhere = [*made, silent]
    assert found(store, home, offset=5) == everywhere[5:]
    assert found(store, home, offset=8) == []
    query = search.RunQuery([home], "", ("metrics.loss DESC",), ViewType.ACTIVE_ONLY)
    ordered = [*reversed(made), silent]
    for offset in range(9):
        page = store.read(table.page, query, [], 3, "", offset)
        assert [run.run_id for run in page.runs] == ordered[offset : offset + 3]
        assert page.total == 8
    with pytest.raises(InvalidInput, match="offset"):
        store.read(table.page, query, [], 3, "", -1)
    token = store.read(table.page, query, [], 3).next_page_token
    assert token is not None
    with pytest.raises(InvalidInput, match="page_token"):
        store.read(table.page, query, [], 3, token, 1)


def test_a_page_holds_only_the_parts_that_were_asked_for(store: Store, home: str) -> None:
    make(store, home, 1)
    query = search.RunQuery([home], "", (), ViewType.ACTIVE_ONLY)
    assert store.read(table.page, query, ["metrics.loss"], 3, "", 0, ("max", "last")).columns == {
        "metrics.loss": {"max": [0.0], "last": [0.0]}
    }
    with pytest.raises(InvalidInput, match="parts"):
        store.read(table.page, query, [], 3, "", 0, ("best",))
