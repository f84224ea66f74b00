"""The generated data, and that what each search must find follows from it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from benchmarks.generator import MORE_QUERIES, QUERIES, Experiment, dense, series

DATA = Experiment(3000)
EXPECTED = {query.name: query.expected(DATA).tolist() for query in (*QUERIES, *MORE_QUERIES)}


def columns(number: int) -> dict[str, float | str]:
    return dict([*DATA.metrics_of(number), *DATA.params_of(number), *DATA.tags_of(number)])


def matches(name: str, number: int) -> bool:
    row = columns(number)
    return {
        "metric and param": float(row["m1"]) > 0.9 and row["p5"] == "v03",
        "tag prefix": str(row["host"]).startswith("host-01"),
        "tag substring": "ab" in str(row["word"]),
    }[name]


@pytest.mark.parametrize("name", ["metric and param", "tag prefix", "tag substring"])
def test_filters_are_expected_to_find_what_the_logged_values_match(name: str) -> None:
    found = [number for number in range(DATA.count) if matches(name, number)]
    assert EXPECTED[name] == found[::-1]
    assert 0 < len(found) < DATA.count / 10


def test_the_expected_filters_are_those_that_are_sent() -> None:
    sent = {query.name: query.filter for query in QUERIES if query.filter}
    assert sent == {
        "metric and param": "metrics.m1 > 0.9 AND params.p5 = 'v03'",
        "tag prefix": "tags.host LIKE 'host-01%'",
        "tag substring": "tags.word LIKE '%ab%'",
    }


def test_orders() -> None:
    assert EXPECTED["no filter"] == list(range(DATA.count))[::-1]
    values = [dict(DATA.metrics_of(number))["m7"] for number in EXPECTED["order by metric"]]
    assert values == sorted(values)
    assert len(set(values)) == DATA.count, "ties would leave the order open"
    places = [(dict(DATA.params_of(number))["p3"], -number) for number in EXPECTED["order by param"]]
    assert places == sorted(places)


def test_a_part_of_a_name_is_that_of_few_runs() -> None:
    names = [f"run-{number}" for number in EXPECTED["part of a name"]]
    assert len(names) == 11 and all("N-77" in name.upper() for name in names)


def test_runs_have_the_columns_that_are_promised() -> None:
    large = Experiment(10, tags=10)
    assert [len(part(9)) for part in (large.metrics_of, large.params_of, large.tags_of)] == [20, 20, 10]
    assert len({key for key, _ in large.tags_of(9)}) == 10
    assert all(re.fullmatch(r"v\d\d", value) for _, value in large.params_of(0))


def test_data_is_the_same_every_time() -> None:
    assert Experiment(50).metrics_of(49) == Experiment(50).metrics_of(49)
    assert np.array_equal(dense("r", 1, 50, 10, 3).values, dense("r", 1, 50, 10, 3).values)
    assert not np.array_equal(dense("r", 1, 50, 10, 3).values, dense("r", 2, 50, 10, 3).values)
    assert np.array_equal(series(100, noisy=True).values, series(100, noisy=True).values)


def test_smooth_series_only_fall_and_noisy_ones_do_not() -> None:
    assert (np.diff(series(1000, noisy=False).values) < 0).all()
    assert (np.diff(series(1000, noisy=True).values) > 0).any()
    assert (np.diff(series(1000, noisy=True).timestamps) > 0).all()


def test_blocks_of_a_series_join_to_the_series() -> None:
    whole = series(2500, noisy=True)
    blocks = list(whole.blocks("run", "loss", 1000))
    assert [block.points for block in blocks] == [1000, 1000, 500]
    assert np.array_equal(np.concatenate([block.values[:, 0] for block in blocks]), whole.values)
    assert np.array_equal(np.concatenate([block.steps for block in blocks]), whole.steps)
