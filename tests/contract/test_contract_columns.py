"""Columns come back as they were stored, whatever they hold, and ids by the thousand fit one value."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import Metric, Param
from logbuch.store import Store, batch, experiments, keys, runs, schema
from logbuch.store.query import columns
from logbuch.store.query.among import among
from logbuch.store.query.columns import OfRuns
from logbuch.store.query.prepared import Prepared
from logbuch.store.runs import NewRun
from logbuch.store.tx import Tx

TEXTS = [
    "",
    "plain",
    '"quoted"',
    "back\\slash",
    '{"json": [1, null]}',
    "[1]",
    "line\nbreak\ttab\x01\x7f",
    "Ä 漢 🙂",
    "null",
]


@pytest.fixture
def run(store: Store) -> int:
    id_ = store.write(experiments.create, "columns")
    store.write(runs.create, NewRun(experiment_id=id_, run_id="r"))
    params = [Param(key=f"p{number}", value=text) for number, text in enumerate(TEXTS)]
    extremes = (INT64_MIN, INT64_MAX)
    points = [Metric(key=f"m{time}", value=float("nan"), timestamp=1, step=time) for time in extremes]
    store.write(batch.log_batch, "r", points, params)
    return store.read(lambda tx: int(runs.row(tx, "r").id))


def ids(tx: Tx, query: Any) -> set[int]:
    return set(columns.ids_of(Prepared(columns.packed(query), tx.connection.dialect).rows(tx)))


def test_texts_of_all_kinds(store: Store, run: int) -> None:
    table = schema.params.c
    (found,) = store.read(columns.fetch, select(table.value).where(table.run == run))
    assert sorted(found) == sorted(TEXTS)
    assert [param.value for param in store.read(runs.get, "r").data.param_list] == TEXTS


def test_integers_of_64_bits_and_null(store: Store, run: int) -> None:
    table = schema.latest.c
    steps, least = store.read(columns.fetch, select(table.step, table.min).where(table.run == run))
    assert sorted(steps) == [INT64_MIN, INT64_MAX]
    assert least == [None, None]


def test_nothing(store: Store, run: int) -> None:
    table = schema.params.c
    nothing = select(table.run, table.key).where(table.run == -1)
    assert store.read(columns.fetch, nothing) == [[], []]
    assert store.read(ids, nothing.with_only_columns(table.run)) == set()
    of_runs = OfRuns(table.run, table.value)
    assert store.read(lambda tx: of_runs.fetch(tx, [])) == [[], []]
    assert len(store.read(lambda tx: of_runs.fetch(tx, [run]))[1]) == len(TEXTS)


def test_forty_thousand_ids_are_one_value(store: Store, run: int) -> None:
    table = schema.params.c
    many = [run, *range(10**6, 10**6 + 40_000)]
    assert store.read(ids, select(table.run).where(among(table.run, many))) == {run}
    assert store.read(ids, select(table.run).where(among(table.run, []))) == set()


def test_keys_are_estimated_from_the_newest_runs(store: Store) -> None:
    id_ = store.write(experiments.create, "many")
    for number in range(6):
        run_id = store.write(runs.create, NewRun(experiment_id=id_, start_time=number)).info.run_id
        params = [Param(key="always", value=str(number)), Param(key="old" if number < 3 else "new", value="x")]
        store.write(batch.log_batch, run_id, [Metric(key="loss", value=1, timestamp=1, step=1)], params)
    assert store.read(keys.count_runs, [id_]) == 6
    found = store.read(keys.estimate, [id_], 6, 3)
    assert (found.runs, [(use.key, use.runs) for use in found.params]) == (6, [("always", 6), ("new", 6)])
    assert [(use.key, use.runs) for use in found.metrics] == [("loss", 6)]


def test_given_ids_are_sought_in_an_index(store: Store, run: int) -> None:
    table = schema.params.c
    query = select(table.value).where(among(table.run, [run]), table.key > 0)

    def plan(tx: Tx) -> str:
        if tx.connection.dialect.name == "postgresql":
            tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # so few rows are read as quickly whole
        compiled = query.compile(tx.connection, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if tx.connection.dialect.name == "sqlite" else "EXPLAIN"
        return "\n".join(str(row) for row in tx.connection.exec_driver_sql(f"{explain} {compiled}"))

    found = store.read(plan)
    assert re.search(r"SEARCH params USING PRIMARY KEY \(run=|Index Cond: .*\(run = ANY", found), found
