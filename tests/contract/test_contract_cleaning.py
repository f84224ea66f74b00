"""Cleaning up, on both databases: what goes, what stays, and what is left alone because it may be under way."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from logbuch.errors import InvalidInput, NotFound
from logbuch.files.disk import LocalFiles
from logbuch.files.roots import Files
from logbuch.limits import parse_period
from logbuch.logged import LoggedModel
from logbuch.model import RunStatus, Tag
from logbuch.server.cleaning import Cleaning, Report
from logbuch.store import Store, artifacts, experiments, model_tables, open_store, retention, runs, schema
from logbuch.store.logged import models as logged
from logbuch.store.logged.models import NewLoggedModel
from logbuch.store.registry import models as registered_models
from logbuch.store.registry import versions
from logbuch.store.registry.versions import NewVersion
from logbuch.store.retention import Rule, known_models
from logbuch.store.runs import NewRun
from logbuch.store.tx import Tx

DAY = 86_400_000
NOW = time.time_ns() // 1_000_000


@pytest.fixture
def files(tmp_path: Path, store: Store) -> Files:
    made = Files.at(str(tmp_path / "artifacts"))
    made.claim(store.id)
    return made


def new_run(store: Store, files: Files, *, days: float = 0, status: RunStatus | None = None, **more: Any) -> str:
    """A run with a file, which ended so many days ago."""
    new = NewRun(experiment_id=more.pop("experiment_id", "0"), start_time=int(NOW - days * DAY) - 5, **more)
    run_id = store.write(runs.create, new).info.run_id
    if status is not None:
        store.write(runs.update_run, run_id, status, int(NOW - days * DAY))
    location = store.read(runs.artifact_folder, run_id)
    files.default.put(f"{location}/{run_id}/artifacts/a.txt", [b"123"])  # type: ignore[attr-defined]
    return run_id


def clean(store: Store, files: Files, *, dry: bool = False, **more: Any) -> Report:
    cleaning = Cleaning(store, files, dry=dry)
    cleaning.runs(Rule(now=NOW, **({"before": NOW + DAY} | more)))
    cleaning.erased()
    cleaning.uploads()
    cleaning.orphans()
    assert cleaning.report.failed == []
    return cleaning.report


def there(files: Files, run_id: str, experiment: str = "0") -> bool:
    return bool(files.list(f"{experiment}/{run_id}/artifacts"))


def age(files: Files, key: str, days: float) -> None:
    """Makes all below a folder look as old as that."""
    assert isinstance(files.default, LocalFiles)
    for found in (files.default.root / key, *(files.default.root / key).rglob("*")):
        os.utime(found, (time.time() - days * 86_400,) * 2)


def test_deleted_runs_go_with_their_files_and_a_dry_run_says_the_same(store: Store, files: Files) -> None:
    kept, gone = new_run(store, files), new_run(store, files)
    store.write(runs.delete, gone)
    looked = clean(store, files, dry=True)
    assert store.read(runs.get, gone) and there(files, gone)
    done = clean(store, files)
    assert (done.runs, done.files, done.bytes, done.folders) == ({gone: "deleted"}, 1, 3, [f"0/{gone}"])
    assert (looked.runs, looked.files, looked.bytes, looked.folders) == (done.runs, 1, 3, done.folders)
    with pytest.raises(NotFound):
        store.read(runs.get, gone)
    assert not there(files, gone) and there(files, kept)
    assert clean(store, files) == Report()


def test_only_what_was_deleted_long_ago(store: Store, files: Files) -> None:
    run_id = new_run(store, files)
    store.write(runs.delete, run_id)
    assert clean(store, files, before=NOW - DAY).runs == {}
    assert clean(store, files, before=NOW + DAY).runs == {run_id: "deleted"}


def test_runs_of_a_status_that_ended_long_ago(store: Store, files: Files) -> None:
    old = new_run(store, files, days=40, status=RunStatus.FAILED)
    young = new_run(store, files, days=2, status=RunStatus.FAILED)
    fine = new_run(store, files, days=40, status=RunStatus.FINISHED)
    deleted = new_run(store, files, days=40, status=RunStatus.FINISHED)
    store.write(runs.delete, deleted)
    rule = {"before": NOW - 30 * DAY, "statuses": (RunStatus.FAILED,)}
    assert clean(store, files, dry=True, **rule).runs == clean(store, files, **rule).runs == {old: "failed"}
    assert not there(files, old)
    assert all(there(files, run_id) for run_id in (young, fine, deleted))


def test_an_experiment_keeps_its_runs_as_long_as_it_says(store: Store, files: Files) -> None:
    short = store.write(experiments.create, "short", "", [Tag(key="logbuch.retention", value="7d")])
    old = new_run(store, files, days=8, status=RunStatus.FINISHED, experiment_id=short)
    running = new_run(store, files, days=8, experiment_id=short)
    marked = new_run(
        store, files, days=8, status=RunStatus.KILLED, experiment_id=short, tags=(Tag(key="logbuch.keep", value="1"),)
    )
    elsewhere = new_run(store, files, days=8, status=RunStatus.FINISHED)
    done = clean(store, files)
    assert (done.runs, done.kept) == ({old: "retention of its experiment"}, [marked])
    assert there(files, running, short) and there(files, marked, short) and there(files, elsewhere)
    for wrong in ("soon", "", "7", "-7d", "7d!"):
        with pytest.raises(InvalidInput, match="Invalid period"):
            store.write(experiments.set_tag, short, Tag(key="logbuch.retention", value=wrong))


def test_what_the_registry_refers_to_stays(store: Store, files: Files) -> None:
    run_id = new_run(store, files)

    def register(tx: Any) -> None:
        model = tx.insert_one(
            model_tables.registered_models,
            {"name": "m", "description": "", "creation_time": 1, "last_update_time": 1, "last_version": 1},
        )
        row = {"model": model, "version": 1, "stage": 0, "description": "", "user_id": "", "creation_time": 1}
        row |= {"last_update_time": 1, "source": f"runs:/{run_id}/model", "location": "", "run_id": run_id}
        tx.insert(model_tables.model_versions.insert(), [row | {"run_link": "", "model_id": ""}])

    store.write(register)
    store.write(runs.delete, run_id)
    done = clean(store, files)
    assert (done.runs, done.kept) == ({}, [run_id])
    assert there(files, run_id)


def test_a_run_that_is_restored_meanwhile_stays(store: Store, files: Files) -> None:
    run_id = new_run(store, files)
    store.write(runs.delete, run_id)
    rule = Rule(now=NOW, before=NOW + DAY)
    assert list(store.read(retention.candidates, rule).runs) == [run_id]
    store.write(runs.restore, run_id)
    assert store.write(retention.remove, [run_id], rule) == []
    assert store.read(runs.get, run_id)


def test_a_clean_up_that_was_killed_is_finished_by_the_next(store: Store, files: Files) -> None:
    run_id = new_run(store, files)
    store.write(runs.delete, run_id)
    store.write(retention.remove, [run_id], Rule(now=NOW, before=NOW + DAY))
    assert there(files, run_id)
    done = clean(store, files)
    assert (done.runs, done.folders) == ({}, [f"0/{run_id}"])
    assert not there(files, run_id)


def test_files_of_a_run_that_is_made_again_stay(store: Store, files: Files) -> None:
    run_id = new_run(store, files)
    store.write(runs.delete, run_id)
    store.write(retention.remove, [run_id], Rule(now=NOW, before=NOW + DAY))
    new_run(store, files, run_id=run_id)
    clean(store, files)
    assert there(files, run_id)


def test_folders_without_an_owner_go_when_nothing_in_them_is_young(store: Store, files: Files) -> None:
    run_id = new_run(store, files)
    store.write(lambda tx: tx.change(delete(schema.runs)))
    assert clean(store, files).folders == []  # a journal may still bring the run
    assert files.list("0/notes") == []
    files.default.put("0/notes/todo.txt", [b"x"])  # type: ignore[attr-defined]
    age(files, "0", 9)
    files.default.put(f"0/{run_id}/artifacts/b.txt", [b"x"])  # type: ignore[attr-defined]
    assert clean(store, files).folders == []
    age(files, "0", 9)
    assert clean(store, files).folders == [f"0/{run_id}"]
    assert [info.path for info in files.list("0/notes")] == ["todo.txt"]  # nothing of ours


def test_what_belongs_to_another_store_is_left_alone(store: Store, tmp_path: Path) -> None:
    shared = Files.at(str(tmp_path / "shared"))
    shared.claim("another store")
    new_run(store, shared)
    store.write(lambda tx: tx.change(delete(schema.runs)))
    age(shared, "0", 99)
    assert clean(store, shared).folders == []


def test_unfinished_uploads_are_given_up_after_a_day(store: Store, files: Files) -> None:
    def unfinished(name: str) -> None:
        sink = files.default.sink(f"0/r/artifacts/{name}")
        sink.write((b"abc",))

    unfinished("young")
    assert clean(store, files).uploads == []
    age(files, "0", 1.1)
    unfinished("young too")
    done = clean(store, files)
    assert (len(done.uploads), done.files, done.bytes) == (1, 1, 3)
    assert sum(found.pending for found in files.walk("0")) == 1

    upload = store.write(artifacts.begin_upload, "0/r/artifacts/parts", 10, "0" * 64, 8)
    assert isinstance(files.default, LocalFiles)
    with (staged := files.default.staged(upload.id)).held(create=True) as file:
        staged.write(file, 0, b"12345678")
    os.utime(files.default.root / f".logbuch-upload-{upload.id}", (1, 1))
    assert clean(store, files).uploads == []  # it was heard of a moment ago
    store.write(lambda tx: tx.change(schema.uploads.update().values(time=1)))
    assert clean(store, files).uploads == ["0/r/artifacts/parts"]
    assert store.read(artifacts.upload, upload.id) is None
    assert files.default.staged(upload.id).size() == 0


def logged_model(store: Store, files: Files) -> LoggedModel:
    made = store.write(logged.create, NewLoggedModel(experiment_id="0", name="net"))
    files.default.put(f"0/models/{made.model_id}/artifacts/MLmodel", [b"123"])  # type: ignore[attr-defined]
    return made


def test_deleted_models_go_unless_a_version_was_made_of_them(store: Store, files: Files) -> None:
    gone, registered = logged_model(store, files), logged_model(store, files)
    store.write(registered_models.create, "m")
    store.write(versions.create, NewVersion(name="m", source=registered.model_uri))
    for model in (gone, registered):
        store.write(logged.delete_model, model.model_id)
    done = clean(store, files)
    assert (done.folders, done.files) == ([f"0/models/{gone.model_id}"], 1)
    assert files.list(f"0/models/{registered.model_id}/artifacts")


def test_a_model_that_is_registered_while_models_are_removed_stays(store: Store, store_uri: str, files: Files) -> None:
    model = logged_model(store, files)
    store.write(registered_models.create, "m")
    other, removing = open_store(store_uri), threading.Event()
    found: list[list[str]] = []

    def remove() -> None:
        removing.wait(30)
        other.write(logged.delete_model, model.model_id)
        found.append(other.write(retention.remove_models, NOW + DAY))

    def register(tx: Tx) -> None:
        versions.create(tx, NewVersion(name="m", source=model.model_uri))
        removing.set()
        time.sleep(0.3)  # without waiting for this the clean-up would be through by now

    thread = threading.Thread(target=remove)
    thread.start()
    store.write(register)
    thread.join()
    other.close()
    assert found == [[]]
    assert store.read(known_models, [model.model_id]) == {model.model_id}


def test_a_model_that_was_removed_meanwhile_is_not_registered(store: Store, files: Files) -> None:
    model = logged_model(store, files)
    store.write(registered_models.create, "m")
    store.write(logged.delete_model, model.model_id)
    store.write(retention.remove_models, NOW + DAY)
    with pytest.raises(NotFound, match=model.model_id):
        store.write(versions.create, NewVersion(name="m", source=model.model_uri))


def test_a_file_has_an_owner_or_belongs_to_nobody(store: Store, files: Files) -> None:
    run_id, model = new_run(store, files), logged_model(store, files)
    place = store.write(experiments.create, "elsewhere", "mlflow-artifacts:/x/artifacts/y", [])
    elsewhere = new_run(store, files, experiment_id=place)
    owned = (
        f"0/{run_id}/artifacts/a/b",
        f"0/models/{model.model_id}/artifacts/MLmodel",
        f"x/artifacts/y/{elsewhere}/artifacts/artifacts/a",
        "0/traces/tr-1/spans.json",
        "0/a.txt",
    )
    for key in owned:
        assert store.read(artifacts.has_owner, key), key
    for key in (f"0/{'0' * 32}/artifacts/a", f"0/models/m-{'0' * 32}/artifacts/a", "0/;/artifacts/a"):
        assert not store.read(artifacts.has_owner, key), key


def test_deleted_experiments_go_when_they_are_empty(store: Store, files: Files) -> None:
    id_ = store.write(experiments.create, "gone")
    run_id = new_run(store, files, experiment_id=id_)
    store.write(experiments.delete_experiment, id_)
    done = clean(store, files)
    assert (list(done.runs), done.experiments) == ([run_id], [id_])
    with pytest.raises(NotFound):
        store.read(experiments.get, id_)
    assert store.write(experiments.create, "gone") != id_


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 30 * 86_400), ("1d12h", 129_600), ("1.5h", 5400), ("2w", 1_209_600), ("0s", 0)]
)
def test_periods(text: str, seconds: int) -> None:
    assert parse_period(text) == seconds * 1000
