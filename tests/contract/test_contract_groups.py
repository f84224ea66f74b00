"""Groups of runs, on both databases, against a plain reckoning over whole runs."""

from __future__ import annotations

import collections
import math
import random
import statistics as plain
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from logbuch import limits
from logbuch.errors import InvalidFilter, InvalidInput, NotFound
from logbuch.model import Metric, Param, Run, RunStatus, Tag, ViewType
from logbuch.store import Store, batch, experiments, runs, search
from logbuch.store.grouping import aligned, groups, statistics
from logbuch.store.grouping import curves as group_curves
from logbuch.store.grouping import table as group_table
from logbuch.store.metrics.buckets import View
from logbuch.store.runs import NewRun

RUNS = 60
ODD = (math.nan, math.inf, -math.inf)
MODELS = ("tiny", "it's", 'a "b"', "C:\\x\\", "", "Größe")
"""Texts that have to be quoted with care."""


@pytest.fixture(scope="module")
def experiment(module_store: Store) -> str:
    return fill(module_store)


def fill(store: Store) -> str:
    """Runs that lack this and that, with metrics that are odd now and then; every tenth is deleted."""
    dice = random.Random(7)
    id_ = store.write(experiments.create, "grouped")
    for number in range(RUNS):
        name, user = f"name{number % 3}", f"u{number % 2}" * (number % 4 > 0)
        store.write(
            runs.create,
            NewRun(experiment_id=id_, run_id=f"g{number:02}", run_name=name, user_id=user, start_time=number),
        )
        store.write(batch.log_batch, f"g{number:02}", points(dice), params(dice), tags(dice))
        if number % 3:
            store.write(runs.update_run, f"g{number:02}", [RunStatus.FINISHED, RunStatus.FAILED][number % 2], 100)
        if number % 10 == 9:
            store.write(runs.delete, f"g{number:02}")
    return id_


def points(dice: random.Random) -> list[Metric]:
    loss = [dice.choice([*ODD, *[dice.gauss(1, 1)] * 9]) for _ in range(dice.randrange(4))]
    only_nan = [math.nan] * (dice.random() < 0.3)
    named = {"eval/loss": loss, "odd": only_nan}
    return [
        Metric(key=key, value=value, timestamp=step, step=step)
        for key, values in named.items()
        for step, value in enumerate(values)
    ]


def params(dice: random.Random) -> list[Param]:
    chosen = {"model": dice.choice(MODELS), "lr": dice.choice(["0.1", "1e-3", "10", "nan", "big"]), "a b": "x\\' y"}
    return [Param(key=key, value=value) for key, value in chosen.items() if dice.random() < 0.8]


def tags(dice: random.Random) -> list[Tag]:
    return [Tag(key="phase", value=dice.choice("abc"))] if dice.random() < 0.7 else []


def query(
    experiment: str,
    by: Sequence[str],
    metrics: Sequence[str] = (),
    filter_: str = "",
    texts: Sequence[str] = (),
    **more: Any,
) -> groups.GroupQuery:
    sought = search.RunQuery([experiment], filter_, **more)
    return groups.GroupQuery(sought, groups.parse_keys(by), groups.parse_measures(metrics), groups.parse_texts(texts))


def value_of(run: Run, name: str) -> str | None:
    kind, _, key = name.partition(".")
    if kind in ("params", "tags"):
        found: str | None = getattr(run.data, kind).get(key)
        return found
    attributes = {"status": run.info.status.value, "user_id": run.info.user_id, "run_name": run.info.run_name}
    return attributes[key] or None


def expected(
    store: Store, experiment: str, by: Sequence[str], filter_: str = ""
) -> dict[tuple[str | None, ...], list[Run]]:
    found: dict[tuple[str | None, ...], list[Run]] = {}
    for run in store.read(search.runs, [experiment], filter_)[0]:
        found.setdefault(tuple(value_of(run, name) for name in by), []).append(run)
    return found


KEYS = [
    [],
    ["params.model"],
    ["params.a b"],
    ["params.nothing"],
    ["tags.phase"],
    ["attributes.status"],
    ["attributes.user_id"],
    ["params.model", "tags.phase"],
    ["attributes.run_name", "params.lr", "attributes.status"],
]


@pytest.mark.parametrize("by", KEYS, ids=str)
@pytest.mark.parametrize("filter_", ["", "metrics.eval/loss < 1 OR params.lr = '10'", "tags.phase = 'none'"])
def test_groups_are_those_of_a_plain_reckoning(
    module_store: Store, experiment: str, by: list[str], filter_: str
) -> None:
    found = module_store.read(groups.find, query(experiment, by, filter_=filter_))
    plain_groups = expected(module_store, experiment, by, filter_)
    named = {values: place for place, values in enumerate(zip(*found.values, strict=True))} if by else {(): 0}
    assert set(named) == set(plain_groups) or not plain_groups
    assert len(found) == len(plain_groups)
    assert found.runs.sum() == len(found.ids) == sum(map(len, plain_groups.values()))
    for values, members in plain_groups.items():
        place = named[values]
        assert found.runs[place] == len(members)
        own = found.filter(place)
        assert own is not None
        narrowed = f"({filter_}) AND {own}" if filter_ and own else filter_ or own
        asked = module_store.read(search.runs, [experiment], narrowed)[0]
        assert {run.info.run_id for run in asked} == {run.info.run_id for run in members}


@pytest.mark.parametrize("filter_", ["", "tags.phase = 'none'"])
def test_how_much_texts_differ_is_that_of_a_plain_reckoning(module_store: Store, experiment: str, filter_: str) -> None:
    texts = ["params.lr", "tags.phase", "attributes.user_id", "params.nothing"]
    found = module_store.read(groups.find, query(experiment, ["params.model"], filter_=filter_, texts=texts))
    named = {values: place for place, values in enumerate(zip(*found.values, strict=True))}
    for values, members in expected(module_store, experiment, ["params.model"], filter_).items():
        for text, variety in zip(texts, found.varieties, strict=True):
            of_runs = [value_of(run, text) for run in members]
            known = collections.Counter(value for value in of_runs if value is not None)
            place = named[values]
            assert variety.missing[place] == of_runs.count(None)
            assert variety.distinct[place] == len(known)
            assert sorted(variety.values(place)) == sorted(known)
            assert [known[value] for value in variety.values(place)] == sorted(known.values(), reverse=True)


@pytest.mark.parametrize("part", ["last", "min", "max"])
def test_statistics_are_those_of_a_plain_reckoning(module_store: Store, experiment: str, part: str) -> None:
    keys = ("eval/loss", "odd", "nothing")
    by = ["params.model"]
    page = module_store.read(group_table.page, query(experiment, by, [f"{part}({key})" for key in keys]), (), None)
    plain_groups = expected(module_store, experiment, by)
    for measure, key in enumerate(keys):
        summary = page.groups.summaries[measure]
        for place, model in enumerate(page.groups.values[0]):
            values = [logged(module_store, run.info.run_id, key, part) for run in plain_groups[(model,)]]
            there = [value for value in values if value is not None]
            finite = [value for value in there if math.isfinite(value)]
            own = {name: group_table.aggregate(summary, name)[place] for name in group_table.AGGREGATES}
            assert own["missing"] == len(values) - len(there)
            assert (own["count"], own["nan"]) == (len(finite), sum(map(math.isnan, there)))
            assert (own["pos_inf"], own["neg_inf"]) == (there.count(math.inf), there.count(-math.inf))
            if finite:
                assert own["mean"] == pytest.approx(plain.fmean(finite))
                assert own["median"] == pytest.approx(plain.median(finite))
                assert (own["min"], own["max"]) == (min(finite), max(finite))
            if len(finite) > 1:
                error = plain.stdev(finite) / math.sqrt(len(finite))
                reach = statistics.student_quantile(len(finite) - 1) * error
                assert (own["std"], own["stderr"]) == pytest.approx((plain.stdev(finite), error))
                assert (own["low"], own["high"]) == pytest.approx((own["mean"] - reach, own["mean"] + reach))
            else:
                assert math.isnan(own["std"])


def logged(store: Store, run_id: str, key: str, part: str) -> float | None:
    """What the table of runs says of a metric; least and greatest are NaN where only NaN was logged."""
    from logbuch.store import table

    row = store.read(runs.row, run_id)
    column = store.read(table.values, [row.id], [f"metrics.{key}"])[f"metrics.{key}"]
    if column["last"][0] is None:
        return None
    value: float | None = column[part][0]
    return math.nan if value is None else value


def test_deleted_runs_and_named_runs(module_store: Store, experiment: str) -> None:
    deleted = module_store.read(groups.find, query(experiment, [], view=ViewType.DELETED_ONLY))
    assert len(deleted.ids) == RUNS // 10
    named = module_store.read(groups.find, query(experiment, ["tags.phase"], run_ids=["g00", "g01", "gone"]))
    assert len(named.ids) == 2


def test_of_no_experiment_there_is_no_group(module_store: Store, experiment: str) -> None:
    for ids in ([], ["424242"], ["no number"]):
        for by in ([], ["params.model"]):
            found = module_store.read(groups.find, groups.GroupQuery(search.RunQuery(ids), groups.parse_keys(by)))
            assert len(found) == len(found.ids) == 0
            assert found.members() == []


# -- order and pages --------------------------------------------------------------------------------------------------


def rows(page: group_table.Page) -> list[tuple[str | None, ...]]:
    return [tuple(column[place] for column in page.groups.values) for place in page.places]


def test_params_come_by_size_and_what_is_absent_last(module_store: Store, experiment: str) -> None:
    for direction, numbers in (("", ["1e-3", "0.1", "10"]), (" DESC", ["10", "0.1", "1e-3"])):
        page = module_store.read(group_table.page, query(experiment, ["params.lr"]), [f"params.lr{direction}"], 100)
        assert [row[0] for row in rows(page)] == [*numbers, "nan", "big", None]


@pytest.mark.parametrize(
    "order",
    [
        [],
        ["runs DESC"],
        ["params.model desc", "runs"],
        ["mean(eval/loss)"],
        ["mean(min(eval/loss)) DESC"],
        ["std(min(eval/loss)) DESC"],
        ["missing(last(eval/loss)) asc", "tags.phase DESC"],
        ["max(min(eval/loss))"],
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 4, 7])
def test_pages_are_the_whole_in_order(module_store: Store, experiment: str, order: list[str], size: int) -> None:
    asked = query(experiment, ["params.model", "tags.phase"], ["eval/loss", "min(eval/loss)"])
    whole = module_store.read(group_table.page, asked, order, None)
    assert whole.next_page_token is None
    assert len(rows(whole)) == len(whole.groups) == len(set(rows(whole)))
    joined, token = [], ""
    while True:
        page = module_store.read(group_table.page, asked, order, size, token)
        assert len(page.places) <= size
        joined += rows(page)
        if page.next_page_token is None:
            break
        token = page.next_page_token
    assert joined == rows(whole)


def test_an_order_by_an_aggregate(module_store: Store, experiment: str) -> None:
    asked = query(experiment, ["params.model", "tags.phase"], ["eval/loss"])
    for direction in ("ASC", "DESC"):
        page = module_store.read(group_table.page, asked, [f"std(eval/loss) {direction}"], None)
        found = group_table.aggregate(page.groups.summaries[0], "std")[page.places]
        known = found[~np.isnan(found)].tolist()
        assert known == sorted(known, reverse=direction == "DESC")
        assert np.isnan(found[len(known) :]).all(), "what has no such number comes last"


def test_a_key_that_ends_like_a_direction(module_store: Store, experiment: str) -> None:
    page = module_store.read(group_table.page, query(experiment, ["params.a desc"]), ["params.a desc DESC"], 5)
    assert rows(page) == [(None,)]


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "by", ["metrics.loss", "nope.x", "params.", "", "attributes.end_time", "model", "datasets.name"]
)
def test_an_unknown_group_key_is_refused(by: str) -> None:
    with pytest.raises(InvalidInput, match="'by'"):
        groups.parse_keys([by])


def test_group_keys_have_the_prefixes_of_the_search_language() -> None:
    assert groups.parse_keys(["param.a.b", "tag.x y"]) == groups.parse_keys(["params.a.b", "tags.x y"])
    assert groups.parse_keys(["status", "run.Run Name"]) == groups.parse_keys(["attributes.status", "run_name"])


@pytest.mark.parametrize(
    ("by", "metrics", "names"),
    [
        (["params.a", "param.a"], [], "'by'"),
        ([f"params.{number}" for number in range(limits.GROUP_KEYS + 1)], [], "'by'"),
        ([], ["loss", "last(loss)"], "'metrics'"),
        ([], [""], "'metrics'"),
        ([], [f"m{number}" for number in range(limits.GROUP_METRICS + 1)], "'metrics'"),
    ],
)
def test_too_many_and_twice(by: list[str], metrics: list[str], names: str) -> None:
    with pytest.raises(InvalidInput, match=names):
        query("0", by, metrics)


@pytest.mark.parametrize(
    "clause", ["", "params.other", "mean(other)", "best(eval/loss)", "runs DOWN", "mean(max(eval/loss))"]
)
def test_an_order_by_something_else_is_refused(module_store: Store, experiment: str, clause: str) -> None:
    with pytest.raises(InvalidInput, match="'order_by'"):
        module_store.read(group_table.page, query(experiment, ["params.model"], ["eval/loss"]), [clause], 10)


def test_bad_filters_pages_and_tokens_are_refused(module_store: Store, experiment: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        module_store.read(groups.find, query(experiment, [], filter_="params.lr = '1' AND nope = 2"))
    assert caught.value.position == 20
    asked = query(experiment, ["params.model"])
    token = module_store.read(group_table.page, asked, ["runs"], 1).next_page_token
    for order, size, given in ((["runs"], 0, ""), ([], 1, token), (["runs"], 1, "x"), (["runs DESC"], 1, token)):
        with pytest.raises(InvalidInput):
            module_store.read(group_table.page, asked, order, size, given)


def test_the_most_keys_and_metrics_at_once(module_store: Store, experiment: str) -> None:
    by = ["params.model", "params.lr", "tags.phase", "params.x", "tags.y"]
    metrics = ["eval/loss", *(f"min(m{number})" for number in range(limits.GROUP_METRICS - 1))]
    texts = [f"tags.t{number}" for number in range(limits.GROUP_TEXTS)]
    asked = query(experiment, by, metrics, "metrics.eval/loss < 9 AND tags.phase = 'a'", texts)
    found = module_store.read(groups.find, asked)
    assert (len(found.summaries), len(found.values)) == (limits.GROUP_METRICS, limits.GROUP_KEYS)
    assert len(found.varieties) == limits.GROUP_TEXTS


# -- curves -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def logged_runs(module_store: Store) -> list[str]:
    """Six runs: c0 to c3 with 50 common steps, c4 with 9000 steps of its own, c5 with nothing."""
    id_ = module_store.write(experiments.create, "curves")
    for number in range(6):
        run_id, start = f"c{number}", number * 1000
        module_store.write(runs.create, NewRun(experiment_id=id_, run_id=run_id, start_time=start))
        steps = {4: range(9000), 5: range(0)}.get(number, range(0, 500, 10))
        made = [Metric(key="m", value=float(number + step), timestamp=start + step, step=step) for step in steps]
        for begin in range(0, len(made), 900):
            module_store.write(
                batch.log_batch, run_id, made[begin : begin + 900], [Param(key="half", value=str(number % 2))], []
            )
    return [f"c{number}" for number in range(6)]


def curve(store: Store, members: Sequence[Sequence[str]], view: View, axis: Any = "step") -> list[group_curves.Curve]:
    found = store.read(group_curves.members, members)
    return list(group_curves.draw(store.read, found, ["m", "none", "m"], axis, view))


@pytest.mark.parametrize("axis", ["step", "relative"])
def test_curves_of_runs_of_the_same_steps(module_store: Store, logged_runs: list[str], axis: str) -> None:
    found = curve(module_store, [["c0", "c2"], ["c1", "c3", "c5"], ["c5"]], View(600), axis)
    assert [(one.group, one.key, one.runs) for one in found] == [(0, "m", 2), (1, "m", 2)]
    for one, mean in zip(found, (1, 2), strict=True):
        table = dict(zip(aligned.COLUMNS, one.table.tolist(), strict=True))
        assert table["x"] == list(range(0, 500, 10))
        assert (set(table["runs"]), table["mean"]) == ({2.0}, [mean + step for step in range(0, 500, 10)])
        assert table["std"] == pytest.approx([math.sqrt(2)] * 50)
        assert (one.x_min, one.x_max) == (0, 490)


def test_long_and_short_runs_share_their_edges(module_store: Store, logged_runs: list[str]) -> None:
    long, short = curve(module_store, [["c4"], ["c0", "c1"]], View(90))
    assert (long.table.shape[1], short.table.shape[1]) == (90, 5)
    assert long.table[0].tolist() == list(range(0, 9000, 100))
    assert short.table[0].tolist() == long.table[0, :5].tolist()
    assert long.table[2].tolist() == [1.0] * 90
    assert short.table[3].tolist() == [0.5 + start + 45 for start in range(0, 500, 100)]
    zoomed, _ = curve(module_store, [["c4"], ["c0"]], View(90, 100, 279))
    assert zoomed.table[0].tolist() == list(range(100, 280, 2))
    assert (zoomed.x_min, zoomed.x_max) == (0, 8999)


def test_time_counts_from_the_start_of_the_epoch(module_store: Store, logged_runs: list[str]) -> None:
    (found,) = curve(module_store, [["c0", "c1"]], View(10), "time")
    assert (found.table[0, 0], found.table[1, -1], found.x_max) == (0, 1490, 1490)
    assert found.table[2].tolist() == [1.0] * found.table.shape[1], "they ran one after the other"


def test_curves_of_groups_that_a_query_finds(module_store: Store, logged_runs: list[str]) -> None:
    asked = groups.GroupQuery(search.RunQuery((), run_ids=logged_runs), groups.parse_keys(["params.half"]))
    found = module_store.read(groups.find, asked)
    members = module_store.read(group_curves.members_of, found)
    starts = {half: [member.origin for member in part] for half, part in zip(found.values[0], members, strict=True)}
    assert starts == {"0": [0, 2000, 4000], "1": [1000, 3000], None: [5000]}


def test_a_run_that_does_not_exist_is_named(module_store: Store) -> None:
    for run_id in ("gone", "../x", ""):
        with pytest.raises(NotFound, match=f"id={run_id} not found"):
            module_store.read(group_curves.members, [[run_id]])
