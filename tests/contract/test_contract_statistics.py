"""PostgreSQL without statistics, as it is after an import: searches go by indexes all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, text

from logbuch.store import Store, experiments, open_store, schema, search
from logbuch.store.metrics import ordinal
from logbuch.store.tx import Tx

RUNS, KEYS = 3000, 20


@pytest.fixture(scope="module")
def fresh(new_postgres: Any) -> Iterator[Store]:
    """3,000 runs with 20 metrics, params and tags each, about which the planner knows nothing."""
    store = open_store(new_postgres(), seal=False)
    store.write(_silence)
    experiment = int(store.write(experiments.create, "many"))
    store.write(_fill, experiment)
    yield store
    store.close()


def _silence(tx: Tx) -> None:
    for table in ("runs", "latest", "params", "tags"):
        tx.connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))


def _fill(tx: Tx, experiment: int) -> None:
    keys = list(tx.name_ids([f"k{key:02}" for key in range(KEYS)]).values())
    numbers = range(1, RUNS + 1)
    heads = [(i, f"r{i:05}", experiment, "", "", 3, i, False) for i in numbers]
    columns = ("id", "run_id", "experiment", "name", "user_id", "status", "start_time", "deleted")
    tx.insert_rows(schema.runs.insert(), columns, heads)
    points = [(i, key, experiment, 0, 0, ordinal.encode(float(i))) for i in numbers for key in keys]
    tx.insert_rows(schema.latest.insert(), ("run", "key", "experiment", "step", "timestamp", "value"), points)
    texts = [(i, key, f"value-{i % 50:02}") for i in numbers for key in keys]
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
    whole = [line for line in plan if re.search(r"Seq Scan on (latest|params|tags)\b", line)]
    assert whole == []


def _plan(tx: Tx, query: str, values: Any) -> list[str]:
    return [row[0] for row in tx.connection.exec_driver_sql(f"EXPLAIN {query}", values)]
