"""The rules of the metric engine that no other contract test shows, on both databases; numbers are those of the design.

Elsewhere: odd values bit for bit, latest, least and greatest, late points, two sealers (``test_contract_metrics``);
exactly once and no deadlock (``test_contract_journals``); changes of another server (``test_server_native``).
"""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import psycopg
import pytest
from sqlalchemy import delete, func, insert, inspect, select

from logbuch.errors import InvalidInput, Unavailable
from logbuch.model import Metric, Param
from logbuch.store import Store, batch, changes, erase, journals, logs, open_store, runs, schema, search, sqlite
from logbuch.store.metrics import backlog, blocks, buckets, charts, history, ordinal, rows, sealing, series
from logbuch.store.metrics.buckets import View
from logbuch.store.postgres import CHANNEL, NOTIFY_SECONDS
from logbuch.store.runs import NewRun
from logbuch.store.tx import LogLines, Tx
from logbuch.store.writer import Job, ThreadWaiter
from logbuch.wire import ingest, intake

PATIENCE = 30


def new_run(store: Store, run_id: str | None = None) -> str:
    return store.write(runs.create, NewRun(experiment_id="0", run_id=run_id)).info.run_id


def inner(store: Store, run_id: str) -> int:
    return store.read(runs.row, run_id).id


def seal(store: Store, run_id: str) -> int:
    return sealing.seal(store.read, store.write, inner(store, run_id))


def log_points(store: Store, run_id: str, steps: Sequence[int], value: float = 1.0, key: str = "m") -> None:
    points = [Metric(key=key, value=value, timestamp=1000 + step, step=step) for step in steps]
    store.write(batch.log_batch, run_id, points)


def steps_of(store: Store, run_id: str, key: str = "m") -> list[int]:
    steps: list[int] = store.read(history.page, run_id, key, None)[0].steps.tolist()
    return steps


def count(store: Store, table: Any, *conditions: Any) -> int:
    found: int = store.read(lambda tx: tx.execute(select(func.count()).select_from(table).where(*conditions)).scalar())
    return found


def rows_of(store: Store, query: Any) -> list[Any]:
    return store.read(lambda tx: list(tx.execute(query).scalars()))


def in_one_group(store: Store, *jobs: tuple[Any, ...]) -> list[Future[Any]]:
    """Submits jobs while the writer is held up, so that they share a commit."""
    free = threading.Event()
    futures: list[Future[Any]] = [Future() for _ in range(len(jobs) + 1)]
    held = threading.Event()

    def hold(tx: Tx) -> None:
        held.set()
        assert free.wait(PATIENCE)

    store._writer.submit(Job(ThreadWaiter(futures[0]), hold))
    assert held.wait(PATIENCE)
    for future, (function, *arguments) in zip(futures[1:], jobs, strict=True):
        store._writer.submit(Job(ThreadWaiter(future), function, tuple(arguments)))
    free.set()
    for future in futures:
        future.exception(PATIENCE)
    return futures[1:]


# -- 1: arrivals, latest and the mark against doubles in one transaction; each job has its own savepoint ---------------


@pytest.mark.parametrize("broken", [(backlog, "note"), (changes, "flush")])
def test_points_latest_and_position_are_committed_together(
    store: Store, monkeypatch: pytest.MonkeyPatch, broken: tuple[Any, str]
) -> None:
    points = ingest.Points("r1")
    points.add("m", 1, 1, 0.5)
    raw = [ingest.encode_record(record) for record in (ingest.NewRun("r1", "Default"), points.record())]
    chains = [b"", ingest.link(b"", raw[0])]
    chains.append(ingest.link(chains[1], raw[1]))
    body = ingest.encode_batch("0" * 32, 1, b"", [(1, chains[1], raw[0]), (1, chains[2], raw[1])])

    def power_cut(*arguments: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(*broken, power_cut)
        with pytest.raises(RuntimeError):
            store.write(journals.ingest, intake.decode(body))
    assert [count(store, table) for table in (schema.runs, schema.arrivals, schema.latest, schema.journals)] == [0] * 4
    for _ in range(2):
        assert store.write(journals.ingest, intake.decode(body)).sequence == 2
        assert (steps_of(store, "r1"), store.read(runs.get, "r1").data.metrics) == ([1], {"m": 0.5})


def test_a_job_that_fails_takes_back_what_it_wrote_and_gathered(store: Store) -> None:
    run_id = new_run(store)

    def spoil(tx: Tx) -> None:
        batch.log_batch(tx, run_id, [Metric(key="spoiled", value=9.0, timestamp=1)], [Param(key="p", value="1")])
        logs.append(tx, run_id, LogLines("", "stdout", [1], ["spoiled"]))
        raise InvalidInput("too late")

    good = [(batch.log_batch, run_id, [Metric(key=key, value=1.0, timestamp=1)]) for key in ("a", "b")]
    outcomes = in_one_group(store, good[0], (spoil,), good[1])
    assert [type(outcome.exception()) for outcome in outcomes] == [type(None), InvalidInput, type(None)]
    run = store.read(runs.get, run_id)
    assert (run.data.metrics, run.data.params) == ({"a": 1.0, "b": 1.0}, {})
    assert count(store, schema.names, schema.names.c.name.in_(["spoiled", "p"])) == 0
    assert count(store, schema.arrivals) == 1, "the group's points of a run are one row"
    assert store.read(logs.head, run_id).total == 0


def test_an_erasure_that_is_taken_back_costs_nothing_of_what_the_group_has_gathered(store: Store) -> None:
    run_id = new_run(store)

    def erase_and_fail(tx: Tx) -> None:
        batch.log_batch(tx, run_id, [Metric(key="spoiled", value=9.0, timestamp=1)])
        runs.delete(tx, run_id)
        erase.erase_runs(tx, [run_id])
        raise InvalidInput("too late")

    jobs = [(batch.log_batch, run_id, [Metric(key=key, value=1.0, timestamp=1)]) for key in ("a", "b")]
    in_one_group(
        store, jobs[0], (logs.append, run_id, LogLines("", "stdout", [1], ["said"])), (erase_and_fail,), jobs[1]
    )
    assert store.read(runs.get, run_id).data.metrics == {"a": 1.0, "b": 1.0}
    assert store.read(logs.head, run_id).total == 1


# -- 2: what is compared stands in whole numbers that sort like the values ---------------------------------------------


def test_the_database_itself_sorts_values_and_keeps_their_bits(store: Store) -> None:
    ascending = [-math.inf, -1e308, -5e-324, -0.0, 0.0, 5e-324, 1 / 3, math.inf, math.nan]
    for value in reversed(ascending):
        log_points(store, new_run(store), [1], value)
    table = schema.latest
    for column in (table.c.value, table.c.min, table.c.max):
        query = select(column).where(column.is_not(None)).order_by(column)
        found = [ordinal.decode(number) for number in rows_of(store, query)]
        expected = ascending if column is table.c.value else ascending[:-1]
        assert [struct.pack("<d", value) for value in found] == [struct.pack("<d", value) for value in expected]


# -- 3: counts are of what is left without duplicates; rows are written in the order of run and key --------------------


def test_counts_leave_duplicates_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_POINTS", 8)
    run_id = new_run(store)
    for sealed in (False, True, False, True):
        log_points(store, run_id, range(20))
        log_points(store, run_id, [*range(5, 12), 7])
        if sealed:
            seal(store, run_id)
        key = store.read(lambda tx: tx.known_names(["m"]))["m"]
        found = store.read(charts.tables, inner(store, run_id), [key], "step", View(3))[key]
        assert found.points == 20
        assert found.table[buckets.COLUMNS.index("count")].sum() == 20
    assert sum(head.points for head in store.read(blocks.heads, inner(store, run_id), [key])[key]) == 20


def test_a_group_writes_in_the_order_of_run_and_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_ids = [new_run(store) for _ in range(3)]
    store.write(batch.log_batch, run_ids[0], [Metric(key=key, value=1.0, timestamp=1) for key in ("a", "b", "c")])
    written: dict[str, list[Any]] = {}
    original = Tx.insert_rows

    def noting(tx: Tx, statement: Any, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        written.setdefault(statement.table.name, []).extend(rows)
        original(tx, statement, columns, rows)

    monkeypatch.setattr(Tx, "insert_rows", noting)
    in_one_group(
        store,
        *(
            (batch.log_batch, run_id, [Metric(key=key, value=1.0, timestamp=2)])
            for key in ("c", "a", "b")
            for run_id in reversed(run_ids)
        ),
    )
    store.write(backlog.merge, run_ids)
    keys = [row[:2] for row in written["latest"]]
    assert len(keys) == 9
    assert keys == sorted(set(keys))
    assert written["backlog"] == sorted(written["backlog"])
    for table in ("arrivals", "changes"):
        owners = [row[0] for row in written[table]]
        assert owners == sorted(inner(store, run_id) for run_id in run_ids)


# -- 4: sealing --------------------------------------------------------------------------------------------------------


def test_sealing_waits_for_a_replica_that_seals_the_same_run(postgres_uri: str) -> None:
    store, replica = open_store(postgres_uri, seal=False), open_store(postgres_uri, seal=False)
    try:
        run_id, other = new_run(store), new_run(store)
        for run in (run_id, other):
            log_points(store, run, range(5))
        with replica._seam.writer.connect() as connection, connection.begin():
            replica._seam.lock_run(connection, inner(store, run_id))
            waiting = threading.Thread(target=seal, args=(store, run_id))
            waiting.start()
            seal(replica, other)  # another run need not wait
            waiting.join(0.5)
            assert waiting.is_alive()
            assert count(replica, schema.blocks) == 1
        waiting.join(PATIENCE)
        assert count(replica, schema.blocks) == 2
    finally:
        store.close()
        replica.close()


def between_reading_and_swap(store: Store, run_id: str, act: Callable[[], None]) -> int:
    """Seals a run; ``act`` is called when its log has been read and the new blocks are packed."""

    def write(function: Any, *arguments: Any) -> Any:
        act()
        return store.write(function, *arguments)

    return sealing.seal(store.read, write, inner(store, run_id))


def test_a_log_row_that_becomes_visible_late_is_not_deleted(store: Store) -> None:
    """Numbers are given before the commit: a lower one may appear after a higher one was read."""
    run_id = new_run(store)
    log_points(store, run_id, [1, 2])
    log_points(store, run_id, [3, 4])
    table = schema.arrivals

    def hide(tx: Tx) -> Any:
        first = tx.execute(select(table).order_by(table.c.id)).first()
        tx.change(delete(table).where(table.c.id == first.id))
        return first

    late = store.write(hide)
    appeared: list[Any] = []

    def appear() -> None:
        if not appeared:
            appeared.append(store.write(lambda tx: tx.change(insert(table).values(**late._mapping))))

    assert between_reading_and_swap(store, run_id, appear) in (2, 4)
    assert steps_of(store, run_id) == [1, 2, 3, 4]
    seal(store, run_id)
    assert (steps_of(store, run_id), count(store, table)) == ([1, 2, 3, 4], 0)


def test_a_run_that_is_gone_leaves_no_blocks(store: Store) -> None:
    run_id = new_run(store)
    log_points(store, run_id, range(10))
    gone = delete(schema.runs).where(schema.runs.c.run_id == run_id)
    assert between_reading_and_swap(store, run_id, lambda: store.write(lambda tx: tx.change(gone))) == 0
    assert [count(store, table) for table in (schema.arrivals, schema.blocks, schema.latest)] == [0, 0, 0]


def test_sealing_reads_of_a_long_run_only_the_blocks_that_new_points_reach(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a seal costs must not grow with the run: of 20 blocks a key those count into which points may fall."""
    monkeypatch.setattr(blocks, "BLOCK_POINTS", 8)
    monkeypatch.setattr(blocks, "SMALL_POINTS", 2)
    run_id, met = new_run(store), []
    for key in ("a", "b"):
        log_points(store, run_id, range(160), key=key)
    seal(store, run_id)
    heads = blocks.heads

    def counting(*arguments: Any) -> dict[int, list[blocks.Head]]:
        found = heads(*arguments)
        met.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(blocks, "heads", counting)
    log_points(store, run_id, range(160, 170), key="a")
    log_points(store, run_id, range(160, 170), key="b")
    seal(store, run_id)
    assert sum(met) == 2, "the last block of each key"
    met.clear()
    log_points(store, run_id, [152, 160], value=2.0, key="a")
    seal(store, run_id)
    assert sum(met) == 4, "those from 144, 152, 160 and 168 on: the second and third are reached"
    monkeypatch.undo()
    assert steps_of(store, run_id, "a") == sorted([*range(170), 152, 160])
    assert steps_of(store, run_id, "b") == list(range(170))


def _ascending(number: int) -> int:
    return 10 * number


def _zigzag(number: int) -> int:
    """Within each block some points are older than those before them; from block to block time ascends."""
    return 10 * (number ^ 3)


def _backfilled(number: int) -> int:
    """The second half of the steps was logged before the first, at the border of two blocks."""
    return 10 * ((number + 160) % 320)


@pytest.mark.parametrize("late", [(), (5, 100, 319)], ids=["sealed", "late"])
@pytest.mark.parametrize("time_of", [_ascending, _zigzag, _backfilled])
@pytest.mark.parametrize("axis", ["step", "time"])
@pytest.mark.parametrize("view", [View(3), View(3, 1000, 2500)], ids=["whole", "part"])
def test_summaries_stand_only_for_points_that_they_know_in_their_order(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    late: tuple[int, ...],
    time_of: Callable[[int], int],
    axis: Any,
    view: View,
) -> None:
    sizes = [(rows, "STRETCH", 4), (rows, "LEAST", 8), (charts, "STRETCH", 4), (charts, "STRETCHES", 1)]
    for module, name, value in [*sizes, (blocks, "BLOCK_POINTS", 32), (blocks, "SMALL_POINTS", 8)]:
        monkeypatch.setattr(module, name, value)
    run_id = new_run(store)
    plain = [Metric(key="m", value=float(n % 50), timestamp=time_of(n), step=10 * n) for n in range(320)]
    plain += [Metric(key="m", value=1000.0 + n, timestamp=time_of(n) + 1, step=10 * n + 1) for n in late]
    store.write(batch.log_batch, run_id, plain[:320])
    seal(store, run_id)
    if late:
        store.write(batch.log_batch, run_id, plain[320:])
    key = store.read(lambda tx: tx.known_names(["m"]))["m"]
    found = store.read(charts.tables, inner(store, run_id), [key], axis, view)[key]
    column = dict(zip(buckets.COLUMNS, found.table, strict=True))
    values = {(point.step if axis == "step" else point.timestamp): point.value for point in plain}
    places = sorted(values)
    assert (found.points, found.x_min, found.x_max) == (len(plain), places[0], places[-1])
    assert 1 <= found.table.shape[1] <= 3
    shown: list[int] = []
    for number in range(found.table.shape[1]):
        mine = [x for x in places if column["x"][number] <= x <= column["x_last"][number]]
        own = [values[x] for x in mine]
        said = [column[name][number] for name in ("count", "min", "max", "first", "last")]
        assert said == [len(own), min(own), max(own), own[0], own[-1]]
        shown += mine
    inside = [x for x in places if (view.start is None or x >= view.start) and (view.end is None or x <= view.end)]
    assert shown == sorted(set(shown))
    assert set(inside) <= set(shown)


# -- 5: readers --------------------------------------------------------------------------------------------------------


def test_a_reader_sees_log_and_blocks_of_one_moment(store: Store) -> None:
    run_id = new_run(store)
    log_points(store, run_id, range(10))

    def look(tx: Tx) -> list[int]:
        return [
            tx.execute(select(func.count()).select_from(table)).scalar() for table in (schema.arrivals, schema.blocks)
        ]

    def look_twice(tx: Tx) -> tuple[list[int], list[int]]:
        before = look(tx)
        log_points(store, run_id, range(10, 20))
        seal(store, run_id)
        return before, look(tx)

    before, after = store.read(look_twice)
    assert before == after == [1, 0]
    assert store.read(look) == [0, 1]


def test_several_metrics_are_read_at_once_as_far_as_they_are_wanted(store: Store) -> None:
    run_id = new_run(store)
    for key in "abc":
        log_points(store, run_id, range(100), key=key)
    seal(store, run_id)
    for key in "cd":  # of one some points are in the log, of the other all
        log_points(store, run_id, range(90, 110), 2.0, key=key)
    wanted, read = ["d", "c", "a", "none", "b"], list[tuple[str, int]]()
    rounds = 0
    while wanted:
        found, wanted = store.read(series.several, run_id, wanted, 150)
        read += [(key, len(points)) for key, points in found.items()]
        for key, points in found.items():
            assert points.steps.tolist() == store.read(series.between, run_id, key).steps.tolist()
        rounds += 1
    assert read == [("d", 20), ("c", 120), ("a", 100), ("b", 100)]
    assert rounds == 3
    assert store.read(series.several, run_id, ["a", "b"], 0)[1] == ["b"]
    assert store.read(series.several, run_id, ["none"], 10) == ({}, ())
    assert store.read(series.several, "0" * 32, ["a"], 10) == ({}, ())


def test_between_pages_nothing_is_held_and_nothing_is_lost(store_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the pages points arrive before and after the place where the reader stands, and the run is sealed."""
    monkeypatch.setattr(blocks, "BLOCK_POINTS", 16)
    store = open_store(store_uri, seal=False)  # a sealer of its own would read meanwhile
    run_id = new_run(store)
    log_points(store, run_id, range(0, 200, 2))
    seen: list[int] = []
    token: str | None = ""
    page = 0
    while token is not None:
        points, token = store.read(history.page, run_id, "m", 9, token)
        seen += points.steps.tolist()
        assert store._seam.reader.pool.checkedout() == 0  # type: ignore[attr-defined]
        page += 1
        if page <= 8:
            log_points(store, run_id, [seen[-1] - 1, seen[-1] + 3])
            if page % 2:
                seal(store, run_id)
    assert seen == sorted(set(seen)), "no point comes twice"
    behind = {number for number in steps_of(store, run_id) if number not in seen}
    assert set(range(0, 200, 2)) <= set(seen)
    assert len(behind) == 8, "only those are not shown that came to a place already passed"
    store.close()


# -- 6: the value index (see docs/decisions/0005) ----------------------------------------------------------------------


def test_the_value_index_begins_with_the_experiment(store: Store) -> None:
    found = inspect(store._seam.writer).get_indexes("latest")
    assert ["experiment", "key", "value", "run"] in [index["column_names"] for index in found]


def test_a_search_sees_at_once_what_was_committed(store: Store) -> None:
    run_ids = [new_run(store) for _ in range(3)]
    for step in range(6):
        best = run_ids[step % 3]
        log_points(store, best, [step], 10.0 - step)
        others = [other for other in run_ids if other != best]
        for other in others:
            log_points(store, other, [step], 20.0)
        found = store.read(search.runs, ["0"], "metrics.m < 15", ["metrics.m ASC"], 10)[0]
        assert [run.info.run_id for run in found] == [best]


# -- 7: several processes on one SQLite file ---------------------------------------------------------------------------


def test_sqlite_asks_the_disk_itself(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    for engine in (store._seam.writer, store._seam.reader):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA fullfsync").scalar_one() == 1
    store.close()


def test_writers_of_one_sqlite_file_take_turns(sqlite_uri: str) -> None:
    """A transaction that begins by reading could not write once another has committed: it has to begin as a writer."""
    stores = [open_store(sqlite_uri, seal=False) for _ in range(2)]
    run_id = new_run(stores[0])
    failed: list[Exception] = []

    def write(store: Store, first: int) -> None:
        try:
            for step in range(first, first + 40):
                store.write(batch.log_batch, run_id, [Metric(key=f"k{step}", value=1.0, timestamp=1, step=step)])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(store, 40 * place)) for place, store in enumerate(stores * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(stores[1].read(runs.get, run_id).data.metrics) == 160
    for store in stores:
        store.close()


def test_a_locked_sqlite_file_is_waited_for_and_then_refused(sqlite_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 2)
    store, holder = open_store(sqlite_uri, seal=False), open_store(sqlite_uri, seal=False)
    run_id = new_run(store)
    for seconds, outcome in ((0.3, None), (3.5, Unavailable)):
        with holder._seam.writer.connect() as connection, holder._seam.begin_write(connection):
            future: Future[None] = Future()
            job = (batch.log_batch, (run_id, [Metric(key="m", value=1.0, timestamp=1, step=int(seconds))]))
            store._writer.submit(Job(ThreadWaiter(future), *job))
            assert store.read(runs.get, run_id).info.run_id == run_id, "readers do not wait"
            time.sleep(seconds)
        error = future.exception(PATIENCE)
        assert type(error) is (outcome or type(None))
    assert steps_of(store, run_id) == [0]
    log_points(store, run_id, [9])
    assert steps_of(store, run_id) == [0, 9]
    store.close()
    holder.close()


# -- 8: replicas -------------------------------------------------------------------------------------------------------


def notifications(uri: str, act: Callable[[], None]) -> int:
    """How many notifications come while ``act`` is called, in a thread, and right after it."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        acting = threading.Thread(target=act)
        acting.start()
        found = 0
        while acting.is_alive():
            found += len(list(connection.notifies(timeout=NOTIFY_SECONDS)))
        return found + len(list(connection.notifies(timeout=2 * NOTIFY_SECONDS)))


def test_notifications_are_few_however_many_commits(postgres_uri: str) -> None:
    store = open_store(postgres_uri, seal=False)
    run_id = new_run(store)
    begun, commits = time.monotonic(), 0

    def hammer() -> None:
        nonlocal commits
        while commits < 30 or time.monotonic() < begun + 4 * NOTIFY_SECONDS:
            log_points(store, run_id, [commits])
            commits += 1

    found = notifications(postgres_uri, hammer)
    most = (time.monotonic() - begun) / NOTIFY_SECONDS + 1
    assert 2 <= found <= most, "at most one in 250 ms, and one after the last commit"
    store.close()


def test_a_commit_carries_no_notification(postgres_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would make all commits of the database wait for each other."""
    store = open_store(postgres_uri, seal=False)
    run_id = new_run(store)
    monkeypatch.setattr(store._seam, "committed", lambda: None)
    time.sleep(2 * NOTIFY_SECONDS)
    assert notifications(postgres_uri, lambda: log_points(store, run_id, [1])) == 0
    store.close()


def test_a_cursor_misses_no_commit_that_becomes_visible_late(postgres_uri: str) -> None:
    store, replica = open_store(postgres_uri, seal=False), open_store(postgres_uri, seal=False)
    slow, quick = new_run(store), new_run(store)
    cursor = store.read(changes.cursor)
    with replica._seam.writer.connect() as connection:
        with replica._seam.begin_write(connection):
            tx = Tx(connection, replica._seam, {})
            tx.touch(inner(store, slow), 0)
            changes.flush(tx, tx.pending)  # its number is taken, but nobody sees it yet
            log_points(store, quick, [1])
            found, following = store.read(changes.since, cursor)
            assert found == [inner(store, quick)]
        assert inner(store, slow) in store.read(changes.since, following)[0]
    assert store.read(changes.since, store.read(changes.cursor))[0] == []
    store.close()
    replica.close()
