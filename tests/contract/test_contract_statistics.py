"""PostgreSQL without statistics, as it is after an import: searches go by indexes all the same, and the server sees to
the tables soon."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import event, text

from logbuch.store import Store, experiments, open_store, schema, search, upkeep
from logbuch.store.metrics import ordinal
from logbuch.store.tx import Tx
from logbuch.store.upkeep import Growth

RUNS, KEYS = 3000, 20
KEY_NAMES = [f"k{key:02}" for key in range(KEYS)]
_TABLES = ("runs", "latest", "params", "tags")


@pytest.fixture(scope="module", params=["never analyzed", "analyzed before they came"])
def fresh(request: pytest.FixtureRequest, new_postgres: Any) -> Iterator[Store]:
    """3,000 runs with 20 metrics, params and tags each, of which the planner knows nothing, or too little."""
    store = open_store(new_postgres(), seal=False)
    store.write(_silence)
    if request.param == "analyzed before they came":
        store.write(_others)
    experiment = int(store.write(experiments.create, "many"))
    store.write(_fill, experiment)
    yield store
    store.close()


def _silence(tx: Tx) -> None:
    for table in _TABLES:
        tx.connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))


def _others(tx: Tx) -> None:
    """Runs of the experiment 0 with one key of their own; then all is analyzed."""
    _fill(tx, 0, keys=["other"], first=RUNS + 1)
    for table in _TABLES:
        tx.connection.execute(text(f"ANALYZE {table}"))


def _fill(tx: Tx, experiment: int, keys: Sequence[str] = KEY_NAMES, first: int = 1) -> None:
    ids = list(tx.name_ids(keys).values())
    numbers = range(first, first + RUNS)
    heads = [(i, f"r{i:05}", experiment, "", "", 3, i, False) for i in numbers]
    columns = ("id", "run_id", "experiment", "name", "user_id", "status", "start_time", "deleted")
    tx.insert_rows(schema.runs.insert(), columns, heads)
    points = [(i, key, experiment, 0, 0, ordinal.encode(float(i))) for i in numbers for key in ids]
    tx.insert_rows(schema.latest.insert(), ("run", "key", "experiment", "step", "timestamp", "value"), points)
    texts = [(i, key, f"value-{i % 50:02}") for i in numbers for key in ids]
    tx.insert_rows(schema.params.insert(), ("run", "key", "value"), texts)
    tx.insert_rows(schema.tags.insert(), ("run", "key", "value"), texts)


@pytest.mark.parametrize(
    ("filter_", "order_by"),
    [
        ("", ()),
        ("", ("metrics.k07",)),
        ("metrics.k01 > 2900 AND params.k05 = 'value-03'", ()),
        ("metrics.k01 > 1000 AND params.k05 = 'value-03'", ("metrics.k02 DESC",)),
        ("tags.k03 LIKE 'value-0%'", ()),
        ("tags.k03 LIKE '%-01%'", ()),
        ("NOT params.k05 = 'value-03'", ()),
    ],
)
def test_no_page_reads_a_whole_table(fresh: Store, filter_: str, order_by: tuple[str, ...]) -> None:
    asked: list[tuple[str, Any]] = []
    experiment = fresh.read(experiments.get_by_name, "many").experiment_id

    def look(tx: Tx) -> list[str]:
        engine = tx.connection.engine
        listener = lambda *seen: asked.append((seen[2], seen[3]))  # noqa: E731
        event.listen(engine, "before_cursor_execute", listener)
        found, _ = search.runs(tx, [experiment], filter_, order_by)
        event.remove(engine, "before_cursor_execute", listener)
        assert len(found) > 1
        return [line for query, values in asked for line in _plan(tx, query, values)]

    plan = fresh.read(look)
    assert any("Index" in line for line in plan)
    # A join filter is a nested loop that goes through all values of a key again for each run.
    whole = [line for line in plan if re.search(r"Seq Scan on (latest|params|tags)\b|Join Filter: .*\.run\b", line)]
    assert whole == []


def _plan(tx: Tx, query: str, values: Any) -> list[str]:
    return [row[0] for row in tx.connection.exec_driver_sql(f"EXPLAIN {query}", values)]


@pytest.mark.parametrize(
    ("growth", "command"),
    [
        (Growth("runs", 0, 1999, 1999, 0), None),
        (Growth("runs", 0, 2000, 2000, 0), "VACUUM (SKIP_LOCKED, ANALYZE) runs"),
        (Growth("latest", 100_000, 49_999, 49_999, 49_999), None),
        (Growth("latest", 100_000, 50_000, 0, 0), "ANALYZE (SKIP_LOCKED) latest"),
        (Growth("latest", 100_000, 0, 50_000, 0), "VACUUM (SKIP_LOCKED) latest"),
        (Growth("changes", 10, 0, 0, 5000), "VACUUM (SKIP_LOCKED) changes"),
        (Growth("arrivals", 10, 0, 0, 200), "VACUUM (SKIP_LOCKED) arrivals"),
    ],
)
def test_a_table_is_seen_to_when_it_has_grown_by_half(growth: Growth, command: str | None) -> None:
    assert upkeep.command(growth) == command


def test_the_server_counts_what_was_imported(new_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(upkeep, "LATE_SECONDS", 0.5)
    store = open_store(new_postgres())
    store.write(_silence)
    experiment = int(store.write(experiments.create, "many"))
    store.write(_fill, experiment)
    deadline = time.monotonic() + 60
    wanted = {"runs": RUNS, "latest": RUNS * KEYS, "params": RUNS * KEYS, "tags": RUNS * KEYS}
    while any(abs(store.read(_counted)[table] - rows) > rows / 10 for table, rows in wanted.items()):
        assert time.monotonic() < deadline
        store.write(lambda tx: tx.touch(1, experiment))  # a commit wakes the upkeep
        time.sleep(0.2)
    store.close()


def test_a_store_that_does_not_seal_leaves_the_tables_alone(new_postgres: Callable[[], str]) -> None:
    store = open_store(new_postgres(), seal=False)
    assert getattr(store._seam, "_upkeep") is None  # noqa: B009
    store.close()


def _counted(tx: Tx) -> dict[str, int]:
    """Rows of the tables of which the planner knows. Which pages are visible to all depends on who else reads."""
    query = "SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r' AND relname = ANY(%(names)s)"
    return {row[0]: row[1] for row in tx.connection.exec_driver_sql(query, {"names": [*_TABLES]})}
