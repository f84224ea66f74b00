"""Which runs and models exist, as those ask who take files for them: looked up once while nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from logbuch.server.owners import Owners
from logbuch.store import Store, artifacts, erase, open_store, runs
from logbuch.store.runs import NewRun
from logbuch.store.sqlite import Stamps


class Counting:
    """A store that counts how often it is read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0

    def stamp(self) -> Any:
        return self._store.stamp()

    def read(self, *arguments: Any) -> Any:
        self.reads += 1
        return self._store.read(*arguments)


def key(run_id: str, path: str = "a/b.bin") -> str:
    return f"0/{run_id}/artifacts/{path}"


def test_what_may_own_a_file() -> None:
    assert artifacts.owners("0/r/artifacts/a") == {"r"}
    assert artifacts.owners("artifacts/r/artifacts/artifacts/x") == {"r", "artifacts"}
    assert artifacts.owners("0/r/artifacts") == {"r"}
    assert not artifacts.owners("artifacts/a/b")


def test_a_run_is_there_until_anybody_erases_it(store: Store, store_uri: str) -> None:
    owners = Owners(store)
    mine, other = (store.write(runs.create, NewRun(experiment_id="0")).info.run_id for _ in range(2))
    assert not owners.exist(key("0" * 32))
    for _ in range(3):
        assert owners.exist(key(mine))
        assert owners.exist(key(other))
    elsewhere = open_store(store_uri)  # another server
    try:
        elsewhere.write(runs.delete, mine)
        assert owners.exist(key(mine)), "a deleted run can be restored"
        elsewhere.write(erase.erase_runs, [mine])
        assert not owners.exist(key(mine))
        assert owners.exist(key(other))
    finally:
        elsewhere.close()
    store.write(runs.delete, other)
    store.write(erase.erase_runs, [other])
    assert not owners.exist(key(other))


def test_a_run_made_later_is_found_at_once(store: Store) -> None:
    owners = Owners(store)
    run_id = "1234567890abcdef1234567890abcdef"
    assert not owners.exist(key(run_id))
    store.write(runs.create, NewRun(experiment_id="0", run_id=run_id))
    assert owners.exist(key(run_id))


def test_nothing_is_read_again_while_nothing_changes(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri, seal=False)
    try:
        run_ids = [store.write(runs.create, NewRun(experiment_id="0")).info.run_id for _ in range(2)]
        counting: Any = Counting(store)
        owners = Owners(counting)
        for number in range(9):
            assert all(owners.exist(key(run_id, f"{number}.bin")) for run_id in run_ids)
        assert counting.reads == 2
        store.write(runs.update_run, run_ids[0], run_name="new name")
        assert all(owners.exist(key(run_id)) for run_id in run_ids)
        assert counting.reads == 4
        store.rest()  # numbers of another connection mean nothing here
        assert all(owners.exist(key(run_id)) for run_id in run_ids)
        assert counting.reads == 6
    finally:
        store.close()


def test_a_database_that_cannot_be_asked_has_no_stamp(tmp_path: Any) -> None:
    stamps = Stamps(tmp_path / "missing" / "folder.db")
    assert stamps.now() is None
    (tmp_path / "text.db").write_text("this is no database, however often it is asked for its version " * 20)
    other = Stamps(tmp_path / "text.db")
    assert other.now() is None
    other.close()


def test_what_is_known_is_bounded(sqlite_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbuch.server.owners.MOST", 2)
    store = open_store(sqlite_uri, seal=False)
    try:
        run_ids = [store.write(runs.create, NewRun(experiment_id="0")).info.run_id for _ in range(3)]
        owners = Owners(store)
        for _ in range(2):
            assert all(owners.exist(key(run_id)) for run_id in run_ids)
            assert len(owners._seen[1]) <= 2
    finally:
        store.close()
