"""The backlog: a commit leaves the latest values to whoever reads them first, and nobody ever reads stale ones."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select, update

from logbuch.model import Metric
from logbuch.store import Store, batch, bulk, erase, experiments, open_store, runs, schema
from logbuch.store import store as stores
from logbuch.store.metrics import backlog, history, sealing
from logbuch.store.runs import NewRun
from logbuch.store.tx import Tx, beside_latest


def new_run(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0")).info.run_id


def log(store: Store, run_id: str, *points: tuple[int, float], key: str = "m") -> None:
    store.write(
        batch.log_batch, run_id, [Metric(key=key, value=value, timestamp=1, step=step) for step, value in points]
    )


def latest(store: Store, run_id: str) -> dict[str, tuple[int, float]]:
    return {metric.key: (metric.step, metric.value) for metric in store.read(runs.get, run_id).data.metric_points}


def count(store: Store, table: Table) -> int:
    """As it stands: without the upkeep that other reads bring about."""
    return int(store.read(beside_latest(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one())))


def test_a_commit_of_points_writes_no_latest_value_and_a_read_does(store: Store) -> None:
    run_id, idle = new_run(store), new_run(store)
    log(store, run_id, (1, 0.5), (2, 0.25))
    log(store, run_id, (3, 0.75))
    assert (count(store, schema.latest), count(store, schema.backlog)) == (0, 1)
    assert latest(store, run_id) == {"m": (3, 0.75)}
    assert (count(store, schema.latest), count(store, schema.backlog)) == (1, 0)
    assert latest(store, idle) == {}


def test_another_process_reads_what_the_first_left_unmerged(store_uri: str) -> None:
    with closing(open_store(store_uri, seal=False)) as first, closing(open_store(store_uri, seal=False)) as second:
        run_id = new_run(first)
        for step in range(5):
            log(first, run_id, (step, step / 2))
            assert latest(second, run_id) == {"m": (step, step / 2)}
        log(second, run_id, (9, 1.0))
        log(first, run_id, (8, 2.0))
        assert latest(first, run_id) == latest(second, run_id) == {"m": (9, 1.0)}
        assert count(first, schema.backlog) == 0


def test_what_a_dead_process_left_is_read_by_the_next(store_uri: str) -> None:
    with closing(open_store(store_uri, seal=False)) as store:
        run_id = new_run(store)
        log(store, run_id, (1, 0.5))
        assert count(store, schema.backlog) == 1
    with closing(open_store(store_uri, seal=False)) as store:
        assert latest(store, run_id) == {"m": (1, 0.5)}


def test_processes_that_write_and_read_one_run_at_once_lose_nothing(store_uri: str) -> None:
    stores_ = [open_store(store_uri, seal=False) for _ in range(3)]
    try:
        run_id = new_run(stores_[0])

        def work(number: int) -> None:
            for turn in range(20):
                log(stores_[number], run_id, (turn, float(turn)), key=f"k{number}")
                if turn % (number + 2) == 0:
                    assert latest(stores_[number], run_id)[f"k{number}"] == (turn, float(turn))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(stores_))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert latest(stores_[0], run_id) == {f"k{number}": (19, 19.0) for number in range(len(stores_))}
    finally:
        for opened in stores_:
            opened.close()


@pytest.mark.parametrize(("limit", "value", "commits"), [("RUN_POINTS", 3, 4), ("POINTS", 3, 4), ("RUNS", 1, 2)])
def test_a_backlog_that_has_grown_long_is_merged_by_a_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, commits: int
) -> None:
    monkeypatch.setattr(backlog, limit, value)
    run_id = new_run(store)
    for step in range(commits - 1):
        log(store, run_id, (step, 1.0))
    assert count(store, schema.latest) == 0
    log(store, run_id, (commits, 2.0))
    assert (count(store, schema.latest), count(store, schema.backlog)) == (1, 0)
    log(store, run_id, (commits + 1, 3.0))  # and is counted anew
    assert count(store, schema.backlog) == 1
    assert latest(store, run_id) == {"m": (commits + 1, 3.0)}


def test_sealing_merges_what_it_packs(store: Store) -> None:
    run_id = new_run(store)
    for step in range(20):
        log(store, run_id, (step, float(step)))
    inner = store.read(beside_latest(lambda tx: runs.row(tx, run_id).id))
    assert sealing.seal(store.read, store.write, inner) == 20
    assert [count(store, table) for table in (schema.arrivals, schema.latest, schema.backlog)] == [0, 1, 0]
    assert latest(store, run_id) == {"m": (19, 19.0)}


def test_rows_that_are_not_merged_are_never_packed_away(store: Store) -> None:
    run_id = new_run(store)
    log(store, run_id, (1, 0.5))
    inner = store.read(beside_latest(lambda tx: runs.row(tx, run_id).id))

    def unmerged(tx: Tx, *arguments: Any) -> None:
        """In place of the merge."""

    def write(function: Any, *arguments: Any) -> Any:
        return store.write(unmerged if function is backlog.merge else function, *arguments)

    assert sealing.seal(store.read, write, inner) == 0
    assert (count(store, schema.arrivals), count(store, schema.backlog)) == (1, 1)
    assert latest(store, run_id) == {"m": (1, 0.5)}


def test_a_reader_goes_on_where_nothing_can_be_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = new_run(store)
    log(store, run_id, (1, 0.5))
    assert latest(store, run_id) == {"m": (1, 0.5)}
    log(store, run_id, (2, 0.25))
    free, held = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        held.set()
        assert free.wait(30)

    holder = threading.Thread(target=store.write, args=(hold,))
    holder.start()
    assert held.wait(30)
    with monkeypatch.context() as hasty:
        hasty.setattr(stores, "CATCH_UP_SECONDS", 0.05)
        assert latest(store, run_id) == {"m": (1, 0.5)}
    free.set()
    holder.join()
    assert latest(store, run_id) == {"m": (2, 0.25)}


def test_a_damaged_row_of_the_log_hides_no_other(store: Store) -> None:
    torn, whole = new_run(store), new_run(store)
    log(store, torn, (1, 0.5))
    log(store, torn, (2, 0.25))
    log(store, whole, (1, 0.125))
    first = select(func.min(schema.arrivals.c.id)).scalar_subquery()
    store.write(lambda tx: tx.change(update(schema.arrivals).where(schema.arrivals.c.id == first).values(data=b"torn")))
    assert latest(store, whole) == {"m": (1, 0.125)}
    assert latest(store, torn) == {"m": (2, 0.25)}
    assert count(store, schema.backlog) == 0


def test_points_of_a_run_that_was_moved_are_found_where_it_is(store: Store) -> None:
    run_id = new_run(store)
    log(store, run_id, (1, 0.5))
    target = store.write(experiments.create, "elsewhere")
    store.write(bulk.move, [run_id], target)
    owners = store.read(lambda tx: list(tx.execute(select(schema.latest.c.experiment)).scalars()))
    assert owners == [int(target)]


def test_an_erased_run_leaves_no_backlog(store: Store) -> None:
    run_id = new_run(store)
    log(store, run_id, (1, 0.5))
    store.write(runs.delete, run_id)
    store.write(erase.erase_runs, [run_id])
    assert (count(store, schema.backlog), count(store, schema.latest)) == (0, 0)


Point = tuple[int, float]
_points = st.lists(
    st.tuples(st.integers(-3, 6), st.sampled_from([0.0, -1.5, 2.0, math.nan, math.inf, -math.inf])),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(_points, st.booleans()), min_size=1, max_size=6))
def test_whenever_it_is_merged_the_outcome_is_that_of_all_points_at_once(
    module_store: Store, turns: Sequence[tuple[list[Point], bool]]
) -> None:
    bit_by_bit, at_once = new_run(module_store), new_run(module_store)
    for points, read in turns:
        log(module_store, bit_by_bit, *points)
        if read:
            latest(module_store, bit_by_bit)
    log(module_store, at_once, *(point for points, _ in turns for point in points))

    def row(tx: Tx, run_id: str) -> Any:
        found = select(schema.latest).where(schema.latest.c.run == runs.row(tx, run_id).id)
        return tx.execute(found).one()[2:]

    assert module_store.read(row, bit_by_bit) == module_store.read(row, at_once)
    assert len(module_store.read(history.page, bit_by_bit, "m", None)[0]) == len(
        module_store.read(history.page, at_once, "m", None)[0]
    )
