"""The columns of `logbuch top`: what a cell says, what fits, and how rows are sorted."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.terminal.columns import COLUMNS, GAP, arranged, count, cut, fitting, lasted, number, telling
from logbuch.terminal.rows import Row
from logbuch.terminal.sparkline import sparkline

BY_TITLE = {column.title: column for column in COLUMNS}


def row(name: str = "run", **more: Any) -> Row:
    given: dict[str, Any] = {
        "run_id": name, "name": name, "experiment_id": "1", "experiment": "one", "status": "RUNNING",
        "start_time": 0, "end_time": None, "seconds": 1.0,
    }  # fmt: skip
    return Row(**given | more)


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"),
        ([3.0, 3.0], 5, "▄▄"),
        ([], 5, ""),
        ([None, math.nan, math.inf], 5, "   "),
        ([1.0, None, 2.0], 5, "▁ █"),
        ([1, 9, 2, 3, 4, None], 3, "█▁▂"),
        ([-1.7e308, 1.7e308], 2, "▁█"),
        ([1, 2], 0, ""),
    ],
)
def test_a_curve_is_a_line_of_bars(values: list[float | None], width: int, drawn: str) -> None:
    assert sparkline(values, width) == drawn


def test_a_short_curve_is_stretched_where_asked() -> None:
    assert sparkline([1.0, 2.0], 6, stretched=True) == "▁▁▁███"
    assert sparkline([1.0], 6, stretched=True) == "▄"


@given(st.lists(st.none() | st.floats()), st.integers(0, 40))
def test_no_curve_is_wider_than_asked(values: list[float | None], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


@given(st.floats())
def test_no_number_is_wider_than_its_column(value: float) -> None:
    assert len(number(value)) <= BY_TITLE["Last"].width
    assert len(number(value, 3)) <= BY_TITLE["Steps/s"].width


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_no_step_is_wider_than_its_column(value: int) -> None:
    assert len(count(value)) <= 6
    assert value < 0 or len(count(value)) <= 5


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "-∞"), (2.03849, "2.038"), (0.0, "0"),
     (12345.6, "12346"), (1.23456e-05, "1.2e-05"), (-1.5e-300, "-2e-300"), (7e9, "7e+09")],
)  # fmt: skip
def test_numbers_are_short(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_counts_and_times_are_short() -> None:
    assert [count(value) for value in (None, 0, 99_999, 100_000, 999_600, 12_345_678)] == [
        "–", "0", "99999", "100k", "1000k", "12.3M",
    ]  # fmt: skip
    assert [lasted(value) for value in (0.9, 59, 725, 3600 * 3 + 425, 86_400 * 2 + 3600 * 4)] == [
        "0s", "59s", "12m05s", "3h07m", "2d04h",
    ]  # fmt: skip
    assert cut("a\nb\x1b[31mc", 20) == "a b [31mc"
    assert cut("abcdef", 4) == "abc…"


@pytest.mark.parametrize("width", range(20, 200))
def test_what_is_shown_fits(width: int) -> None:
    shown = fitting(COLUMNS, width)
    assert {"Run", "Last"} <= {column.title for column, _ in shown}
    assert sum(wide + GAP for _, wide in shown) <= max(width, BY_TITLE["Run"].width + BY_TITLE["Last"].width + 2 * GAP)
    assert all(column.width <= wide <= column.limit for column, wide in shown)


def test_a_small_terminal_shows_the_best_value_the_curve_and_the_alerts() -> None:
    titles = [column.title for column, _ in fitting(telling([row()]), 78)]
    assert titles == ["Run", "Status", "Time", "Step", "Last", "Best", "Curve", "Alerts"]
    assert len(fitting(COLUMNS, None)) == len(COLUMNS)


def test_columns_that_say_nothing_are_left_out() -> None:
    measured = row("b", experiment_id="2", gpu_percent=50.0, gpu_memory_megabytes=1.0)
    assert len(telling([row(), measured])) == len(COLUMNS)
    titles = {column.title for column in telling([row(), measured], one_experiment=True)}
    assert titles == set(BY_TITLE) - {"Experiment"}
    assert {column.title for column in telling([row()])} == set(BY_TITLE) - {"Experiment", "GPU", "GPU memory"}


def test_rows_are_sorted_and_what_is_not_known_comes_last() -> None:
    rows = [row("a", value=2.0), row("b", value=math.nan), row("c", value=1.0), row("d"), row("e", value=math.inf)]
    last = BY_TITLE["Last"]
    assert [one.name for one in arranged(rows, last, descending=False)] == ["c", "a", "e", "b", "d"]
    assert [one.name for one in arranged(rows, last, descending=True)] == ["e", "a", "c", "b", "d"]
    assert [one.name for one in arranged(rows, None, descending=True)] == ["e", "d", "c", "b", "a"]
    for column in COLUMNS:
        assert len(arranged(rows, column, descending=False)) == len(rows)


def test_cells_say_what_is_known() -> None:
    full = row(
        "long " * 9, step=1200, progress=0.24, value=math.nan, best=1.5, curve=(1.0, 2.0), steps_per_second=3.21,
        gpu_percent=87.4, gpu_memory_megabytes=38_000.0, gpu_memory_percent=77.0, stability="diverged", alerts=2,
        metric="loss",
    )  # fmt: skip
    said = {column.title: column.show(full, column.width).plain for column in COLUMNS}
    assert said == {
        "Run": "long long …", "Experiment": "one", "Status": "running", "Time": "1s", "Step": "1200  24%",
        "Metric": "loss", "Last": "NaN", "Best": "1.5", "Curve": "▁█", "Steps/s": "3.21", "GPU": "87%",
        "GPU memory": "38.0 GB 77%", "Stability": "diverged", "Alerts": "2",
    }  # fmt: skip
    bare = {column.title: column.show(row(stability="odd word"), column.width).plain for column in COLUMNS}
    assert (bare["Step"], bare["Stability"], bare["Alerts"], bare["GPU"]) == ("–    –", "odd word", "–", "–")
