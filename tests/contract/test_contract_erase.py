"""Erasing runs for good, on both databases."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Table, func, select

from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Dataset, DatasetInput, Metric, Param, Tag
from logbuch.store import Store, batch, erase, experiments, inputs, journals, runs, schema
from logbuch.store.erase import Erased
from logbuch.store.metrics import sealing
from logbuch.store.runs import NewRun
from logbuch.store.tx import Tx

MINE = Dataset(name="mine", digest="1", source_type="local", source="x")
SHARED = Dataset(name="shared", digest="2", source_type="local", source="y")


def filled_run(store: Store, *datasets: Dataset, experiment_id: str = "0") -> str:
    """A run with rows in every table that knows runs."""
    run_id = store.write(runs.create, NewRun(experiment_id=experiment_id)).info.run_id
    points = [Metric(key="loss", value=float(step), step=step, timestamp=step) for step in range(9)]
    store.write(batch.log_batch, run_id, points, [Param(key="lr", value="1")], [Tag(key="t", value="1")])
    sealing.seal(store.read, store.write, store.read(runs.row, run_id).id)
    store.write(batch.log_batch, run_id, [Metric(key="loss", value=1.0, step=99, timestamp=1)])
    context = (Tag(key=inputs.CONTEXT_TAG, value="train"),)
    store.write(batch.log_inputs, run_id, [DatasetInput(dataset=dataset, tags=context) for dataset in datasets])
    return run_id


def count(store: Store, table: Table) -> int:
    return store.read(lambda tx: int(tx.execute(select(func.count()).select_from(table)).scalar_one()))


def refuse(tx: Tx, run_id: str) -> None:
    tx.insert(schema.journals.insert(), [{"journal": "j", "sequence": 1, "chain": "", "last_update_time": 1}])
    row = {"journal": "j", "sequence": 1, "run_id": run_id, "error_code": "E", "message": "m", "time": 1}
    tx.insert(schema.refusals.insert(), [row])


def test_nothing_of_an_erased_run_is_left_and_all_of_the_others(store: Store) -> None:
    kept = filled_run(store, SHARED)
    before = {name: count(store, table) for name, table in schema.metadata.tables.items() if name != "names"}
    gone = filled_run(store, MINE, SHARED)
    store.write(refuse, gone)
    store.write(runs.delete, gone)
    whole = store.read(runs.get, kept)
    assert store.write(erase.erase_runs, [gone]) == [Erased(run_id=gone, prefix=f"0/{gone}")]
    with pytest.raises(NotFound):
        store.read(runs.get, gone)
    after = {name: count(store, table) for name, table in schema.metadata.tables.items() if name != "names"}
    assert after == before | {"journals": 1, "removals": 1}
    assert store.read(runs.get, kept) == whole
    assert store.read(journals.refusals_of_run, gone).total == 0


def test_only_deleted_runs_are_erased_and_erasing_again_is_no_error(store: Store) -> None:
    active, deleted = filled_run(store), filled_run(store)
    store.write(runs.delete, deleted)
    with pytest.raises(InvalidInput, match=f"{active} is active"):
        store.write(erase.erase_runs, [deleted, active])
    assert store.read(runs.get, deleted).data.metrics == {"loss": 1.0}
    assert store.write(erase.erase_runs, [deleted, "no such run", "\0", deleted]) == [
        Erased(run_id=deleted, prefix=f"0/{deleted}")
    ]
    assert store.write(erase.erase_runs, [deleted]) == []


def test_the_prefix_lies_where_the_experiment_keeps_its_files(store: Store) -> None:
    id_ = store.write(experiments.create, "elsewhere", "team/vision")
    run_id = filled_run(store, experiment_id=id_)
    store.write(runs.delete, run_id)
    (erased,) = store.write(erase.erase_runs, [run_id])
    assert erased.prefix == f"team/vision/{run_id}"


def test_what_the_same_commit_has_gathered_for_an_erased_run_is_dropped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points, deletion and erasure in one group: the commit must not write rows of a run that is gone."""
    gone, kept = filled_run(store), filled_run(store)
    transact, groups = store._transact, []
    monkeypatch.setattr(store, "_transact", lambda jobs: groups.append(len(jobs)) or transact(jobs))
    entered, go = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        entered.set()
        go.wait(60)

    jobs = [
        (hold,),
        (batch.log_batch, gone, [Metric(key="late", value=1.0, step=1, timestamp=1)]),
        (batch.log_batch, kept, [Metric(key="late", value=2.0, step=1, timestamp=1)]),
        (runs.delete, gone),
        (erase.erase_runs, [gone]),
    ]
    threads = []
    for number, (function, *arguments) in enumerate(jobs):
        threads.append(threading.Thread(target=store.write, args=(function, *arguments)))
        threads[-1].start()
        if number == 0:
            assert entered.wait(60)
        else:  # the others are submitted in this order, while the first holds up the commit
            deadline = time.monotonic() + 60
            while store._writer._queue.qsize() < number and time.monotonic() < deadline:
                time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join()
    assert groups == [1, 4]
    with pytest.raises(NotFound):
        store.read(runs.get, gone)
    assert store.read(runs.get, kept).data.metrics["late"] == 2.0


def test_a_run_that_is_sealed_meanwhile_leaves_no_blocks(store: Store) -> None:
    run_id = filled_run(store)
    inner = store.read(runs.row, run_id).id

    def write(function: object, *arguments: object) -> object:
        store.write(runs.delete, run_id)
        store.write(erase.erase_runs, [run_id])
        return store.write(function, *arguments)  # type: ignore[arg-type]

    assert sealing.seal(store.read, write, inner) == 0
    assert [count(store, table) for table in (schema.arrivals, schema.blocks, schema.latest)] == [0, 0, 0]
