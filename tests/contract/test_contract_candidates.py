"""Which filters are answered by indexes: those that hardly any run matches, and no others."""

from __future__ import annotations

from functools import partial

import pytest

from logbuch.filter import RUNS, parse_filter
from logbuch.store import Store, experiments, schema, search
from logbuch.store.metrics import ordinal
from logbuch.store.plans import candidates
from logbuch.store.plans.candidates import Found, Scale
from logbuch.store.plans.conditions import Conditions
from logbuch.store.plans.members import members
from logbuch.store.query.prepared import Shelf
from logbuch.store.tx import Tx

COUNT = 3000


@pytest.fixture(scope="module")
def experiment(module_store: Store) -> int:
    """3,000 runs; run i logged metric m = i, params p = i % 10 and rare = 'yes' in every thousandth, tag t = name-i."""
    id_ = int(module_store.write(experiments.create, "many"))
    module_store.write(_fill, id_)
    return id_


def _fill(tx: Tx, experiment: int) -> None:
    keys = tx.name_ids(["m", "p", "rare", "t"])
    same = {"experiment": experiment, "user_id": "", "status": 3, "end_time": None, "deleted": False}
    numbers = range(1, COUNT + 1)
    heads = [{"id": i, "run_id": f"r{i:05}", "name": f"n{i}", "start_time": i, "deleted_time": None} for i in numbers]
    tx.connection.execute(schema.runs.insert(), [head | same for head in heads])
    point = {"experiment": experiment, "step": 0, "timestamp": 0, "min": None, "max": None} | dict.fromkeys(
        ("min_step", "max_step")
    )
    latest = [{"run": i, "key": keys["m"], "value": ordinal.encode(float(i))} | point for i in numbers]
    tx.connection.execute(schema.latest.insert(), latest)
    params = [{"run": i, "key": keys["p"], "value": str(i % 10), "number": ordinal.encode(i % 10)} for i in numbers]
    params += [{"run": i, "key": keys["rare"], "value": "yes", "number": None} for i in numbers if i % 1000 == 0]
    tx.connection.execute(schema.params.insert(), params)
    tx.connection.execute(schema.tags.insert(), [{"run": i, "key": keys["t"], "value": f"name-{i}"} for i in numbers])


def found(store: Store, experiment: int, text: str, *, rare: bool = True, streamed: bool = True) -> Found | None:
    tree = parse_filter(text, RUNS)
    assert tree is not None

    def look(tx: Tx) -> Found | None:
        conditions = Conditions(tx.seam, schema.runs, tx.known_names(["m", "p", "rare", "t"]))
        shelf = Shelf(tx.connection.dialect)
        known = partial(members, conditions, experiments=[experiment])
        return candidates.find(tx, shelf, known, tree, Scale(COUNT, 100, streamed), lambda: rare)

    return store.read(look)


@pytest.mark.parametrize(
    ("text", "ids", "exact"),
    [
        ("params.rare = 'yes'", {1000, 2000, 3000}, True),
        ("params.rare IS NOT NULL", {1000, 2000, 3000}, True),
        ("params.never = 'x'", set(), True),
        ("metrics.m <= 2", {1, 2}, True),
        ("metrics.m > 1e9 AND params.p = '1'", set(), False),
        ("params.rare = 'yes' AND metrics.m > 1", {1000, 2000, 3000}, False),
        ("params.rare = 'yes' AND NOT tags.t = 'name-1000'", {1000, 2000, 3000}, False),
        ("params.rare = 'yes' OR metrics.m = 7", {7, 1000, 2000, 3000}, True),
        ("tags.t LIKE 'name-299%'", {299, *range(2990, 3000)}, True),
        ("tags.t LIKE '%e-2999'", {2999}, True),
        ("tags.t ILIKE 'NAME-2999'", {2999}, True),
        ("attributes.run_id IN ('r00001', 'r00002')", {1, 2}, True),
        ("params.p = '1' AND metrics.m <= 400 AND metrics.m > 0", set(range(1, 400, 10)), False),
    ],
)
def test_rare_matches_come_from_indexes(
    module_store: Store, experiment: int, text: str, ids: set[int], exact: bool
) -> None:
    few = found(module_store, experiment, text)
    assert few is not None
    assert (set(few.ids), few.exact) == (ids, exact)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.m > 10",
        "params.p = '1' OR params.p = '2'",
        "params.rare = 'yes' OR user_id = 'me'",
        "params.rare IS NULL",
        "NOT params.rare = 'yes'",
        "metrics.m > 10 AND params.p != '3'",
        "tags.t LIKE '%a%'",
    ],
)
def test_common_matches_do_not(module_store: Store, experiment: int, text: str) -> None:
    assert found(module_store, experiment, text) is None


def test_all_values_of_a_key_are_read_only_where_hardly_any_run_matches(module_store: Store, experiment: int) -> None:
    assert found(module_store, experiment, "tags.t LIKE '%e-2999'", rare=False) is None


def test_an_order_without_an_index_takes_more_candidates(module_store: Store, experiment: int) -> None:
    assert found(module_store, experiment, "metrics.m <= 500") is None
    few = found(module_store, experiment, "metrics.m <= 500", streamed=False)
    assert few is not None
    assert len(few.ids) == 500


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", COUNT),
        ("metrics.m > 10", COUNT - 10),
        ("params.p = '1'", 300),
        ("params.rare IS NULL", COUNT - 3),
        ("metrics.m > 10 AND params.p = '1'", 299),
        ("tags.t LIKE '%99%'", sum("99" in str(number) for number in range(1, COUNT + 1))),
    ],
)
def test_counts_are_exact(module_store: Store, experiment: int, text: str, count: int) -> None:
    query = search.RunQuery([str(experiment)], text)
    assert module_store.read(lambda tx: search.Search(tx, query).count()) == count
    assert module_store.read(lambda tx: search.Search(tx, search.RunQuery(["0"], text)).count()) == 0
