"""Searching runs, on both databases: every kind of condition, order and page."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from logbuch import limits
from logbuch.errors import InvalidFilter, InvalidInput
from logbuch.model import Dataset, DatasetInput, Metric, Param, RunStatus, Tag, ViewType
from logbuch.store import Store, batch, experiments, runs, search
from logbuch.store.runs import NewRun

LOSSES = {"a": 0.5, "b": 1.5, "c": math.nan, "d": math.inf, "e": -math.inf, "f": -0.0}


@pytest.fixture(scope="module")
def experiment(module_store: Store) -> str:
    return fill(module_store)


def fill(store: Store) -> str:
    """Seven runs: a to f with a loss each, g with nothing."""
    id_ = store.write(experiments.create, "searched")
    for number, name in enumerate("abcdefg"):
        new = NewRun(
            experiment_id=id_, run_id=name, run_name=f"run_{name}", start_time=number, user_id=f"u{number % 2}"
        )
        store.write(runs.create, new)
        if name in LOSSES:
            store.write(
                batch.log_batch,
                name,
                [Metric(key="val/loss", value=LOSSES[name], timestamp=1, step=1)],
                [Param(key="lr", value=f"0.{number}"), Param(key="long", value="x" * 400 + name)],
                [Tag(key="phase", value="Sweep" if number % 2 else "base line")],
            )
    used = Dataset(name="aws", digest="d1", source_type="local", source="{}")
    context = Tag(key="mlflow.data.context", value="train")
    store.write(batch.log_inputs, "a", [DatasetInput(dataset=used, tags=(context,))])
    store.write(runs.update_run, "a", RunStatus.FINISHED, 100)
    store.write(runs.update_run, "b", RunStatus.FAILED, 50)
    return id_


def found(module_store: Store, experiment: str, filter_: str = "", order: Sequence[str] = ("run_id",)) -> str:
    return "".join(run.info.run_id for run in module_store.read(search.runs, [experiment], filter_, order)[0])


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("", "abcdefg"),
        ("metrics.val/loss < 2.0", "abef"),
        ("metrics.`val/loss` >= 0", "abdf"),
        ("metrics.val/loss > 0", "abd"),
        ("metrics.val/loss = 0", "f"),
        ("metrics.val/loss != 0", "abcde"),
        ("metrics.val/loss <= 0", "ef"),
        ("metrics.val/loss < 0", "e"),
        ("metrics.val/loss = NaN", "c"),
        ("metrics.val/loss != NaN", "abdef"),
        ("metrics.val/loss = Infinity", "d"),
        ("metrics.val/loss > -Infinity", "abdf"),
        ("metrics.other > 0", ""),
        ("params.lr = '0.1'", "b"),
        ("params.lr != '0.1'", "acdef"),
        ("params.lr LIKE '0.%' AND tags.phase = 'Sweep'", "bdf"),
        ("params.lr IN ('0.1', '0.2')", "bc"),
        ("params.lr NOT IN ('0.1', '0.2')", "adef"),
        (f"params.long = '{'x' * 400}a'", "a"),
        ("params.lr > 0.2", "def"),
        ("params.lr <= 0.1 OR params.lr > 1e9", "ab"),
        ("params.long > 0", ""),
        ("params.lr IS NULL", "g"),
        ("params.lr IS NOT NULL", "abcdef"),
        ("metrics.val/loss IS NULL", "g"),
        ("tags.phase LIKE '%weep'", "bdf"),
        ("tags.phase LIKE 'sweep'", ""),
        ("tags.phase ILIKE 'sWEEP'", "bdf"),
        ("tags.phase LIKE 'base_line'", "ace"),
        ("tags.phase LIKE 'base*'", ""),
        ("attributes.status = 'FINISHED'", "a"),
        ("status IN ('FINISHED', 'FAILED')", "ab"),
        ("status LIKE 'F%'", "ab"),
        ("status != 'RUNNING'", "ab"),
        ("end_time > 60", "a"),
        ("NOT end_time > 60", "bcdefg"),
        ("end_time IS NULL", "cdefg"),
        ("start_time >= 2 and start_time < 5", "cde"),
        ("run_name = 'run_c'", "c"),
        ("run_id IN ('a', 'g')", "ag"),
        ("user_id = 'u1'", "bdf"),
        ("attributes.artifact_uri LIKE '%/a/artifacts'", "a"),
        ("datasets.name = 'aws'", "a"),
        ("dataset.digest LIKE 'd%'", "a"),
        ("datasets.context = 'train'", "a"),
        ("params.lr = '0.1' OR metrics.val/loss = NaN", "bc"),
        ("NOT (params.lr = '0.1' OR params.lr IS NULL)", "acdef"),
        ("(params.lr = '0.1' OR params.lr = '0.2') AND NOT tags.phase = 'Sweep'", "c"),
        ("params.lr = '\"; DROP TABLE runs; --'", ""),
    ],
)
def test_conditions(module_store: Store, experiment: str, filter_: str, expected: str) -> None:
    assert found(module_store, experiment, filter_) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([], "gfedcba"),
        (["start_time ASC"], "abcdefg"),
        (["metrics.val/loss ASC"], "efabdcg"),
        (["metrics.val/loss DESC"], "dbafecg"),
        (["params.lr DESC"], "fedcbag"),
        (["params.lr"], "abcdefg"),
        (["tags.phase", "start_time ASC"], "bdfaceg"),
        (["end_time ASC"], "bagfedc"),
        (["end_time DESC"], "abgfedc"),
        (["status ASC", "run_id ASC"], "bacdefg"),
        (["run_name DESC"], "gfedcba"),
        (["user_id ASC", "run_id ASC"], "acegbdf"),
        (["artifact_uri"], "abcdefg"),
        (["metrics.nothing"], "gfedcba"),
    ],
)
def test_orders_and_pages(module_store: Store, experiment: str, order: list[str], expected: str) -> None:
    assert found(module_store, experiment, order=order) == expected
    paged, token = "", ""
    while token is not None:
        page, token = module_store.read(search.runs, [experiment], "", order, 2, token)
        paged += "".join(run.info.run_id for run in page)
    assert paged == expected


def test_params_that_are_numbers_are_ordered_by_size_on_the_page(store: Store) -> None:
    id_ = store.write(experiments.create, "sizes")
    for value in ("5e-05", "0.001", "0.0001", "nan", "adam", "-1", "10", "9", "1_0", ""):
        run_id = store.write(runs.create, NewRun(experiment_id=id_, run_name=value or "empty")).info.run_id
        store.write(batch.log_batch, run_id, (), [Param(key="lr", value=value)])

    def names(order: str, by_size: bool) -> list[str]:
        query = search.RunQuery([id_], "", [order], by_size=by_size)
        seen, token = [], ""
        while token is not None:
            rows, token = store.read(search.page, query, 3, token)
            seen += [row.name for row in rows]
        return seen

    sizes = ["-1", "5e-05", "0.0001", "0.001", "9", "10"]
    assert names("params.lr ASC", True) == [*sizes, "nan", "empty", "1_0", "adam"]
    assert names("params.lr DESC", True) == [*reversed(sizes), "nan", "adam", "1_0", "empty"]
    texts = ["empty", "-1", "0.0001", "0.001", "10", "1_0", "5e-05", "9", "adam", "nan"]
    assert names("params.lr ASC", False) == texts


def test_views_and_experiments(store: Store) -> None:
    experiment = fill(store)
    store.write(runs.delete, "a")
    for view, expected in ((ViewType.ACTIVE_ONLY, 6), (ViewType.DELETED_ONLY, 1), (ViewType.ALL, 7)):
        assert len(store.read(search.runs, [experiment], view=view)[0]) == expected
    assert store.read(search.runs, []) == ([], None)
    assert store.read(search.runs, ["77", "x"]) == ([], None)
    present = search.RunQuery([experiment], "params.lr IS NOT NULL")
    assert store.read(lambda tx: search.Search(tx, present).count()) == 5


@pytest.mark.parametrize(
    "filter_",
    [
        "params.lr = 0.1",
        "metrics.x = 'a'",
        "nope = 'x'",
        "params.lr",
        "(",
        "a" * 50_000 + "!",
        "tags.a LIKE '%a%b%c" + "%d" * 30 + "'",
    ],
)
def test_a_bad_filter_is_refused_and_says_where(module_store: Store, experiment: str, filter_: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        found(module_store, experiment, filter_)
    assert 0 <= refused.value.position <= len(filter_)


@pytest.mark.parametrize("size", [0, -1, 50_001])
def test_a_bad_page_size_is_refused(module_store: Store, experiment: str, size: int) -> None:
    with pytest.raises(InvalidInput, match="max_results"):
        module_store.read(search.runs, [experiment], "", [], size)


def test_a_token_of_another_order_is_refused(module_store: Store, experiment: str) -> None:
    _, token = module_store.read(search.runs, [experiment], "", ["params.lr"], 2)
    assert token is not None
    with pytest.raises(InvalidInput, match="page_token"):
        module_store.read(search.runs, [experiment], "", ["metrics.val/loss"], 2, token)


def test_both_databases_order_texts_by_code_points(store: Store) -> None:
    id_ = store.write(experiments.create, "texts")
    words = ["b", "B", "a", "Ä", "ä", "_", "1", "Z", "z", "ß", "é"]
    random.Random(3).shuffle(words)
    for word in words:
        store.write(runs.create, NewRun(experiment_id=id_, run_name=word))
    page, _ = store.read(search.runs, [id_], "", ["run_name"])
    assert [run.info.run_name for run in page] == sorted(words)


def test_more_runs_are_named_than_a_database_takes_values(module_store: Store, experiment: str) -> None:
    strange = [f"no-{number}" for number in range(limits.RUN_IDS_PER_SEARCH - 3)]
    named = search.RunQuery([experiment], order_by=["run_id"], run_ids=["c", 'b"\\\u2028', *strange, "a"])
    found_, _ = module_store.read(search.page, named, 10)
    assert [row.run_id for row in found_] == ["a", "c"]
    assert module_store.read(lambda tx: search.Search(tx, named).count()) == 2
    with pytest.raises(InvalidInput, match="names 100001 IDs; at most 100000"):
        module_store.read(search.page, search.RunQuery([experiment], run_ids=["a"] * 100_001), 10)
