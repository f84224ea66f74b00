"""The language of alert conditions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.alerts import GPU, Condition, Kind, local_time, matches, parse
from logbuch.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "written", "wanted"),
    [
        ("eval/loss NaN", "eval/loss is nan", Condition(kind=Kind.NOT_FINITE, metric="eval/loss")),
        ("no point for 10 min", "no point for 10m", Condition(kind=Kind.SILENT, seconds=600)),
        (
            "no point of train/loss for 1h30m",
            "no point of train/loss for 1h30m",
            Condition(kind=Kind.SILENT, metric="train/loss", seconds=5400),
        ),
        (
            "GPU under 20% for 15 min",
            "gpu < 20 for 15m",
            Condition(kind=Kind.LIMIT, metric=GPU, sign="<", value=20, seconds=900),
        ),
        (
            "a metric >= -1.5e3",
            "a metric >= -1500",
            Condition(kind=Kind.LIMIT, metric="a metric", sign=">=", value=-1500),
        ),
        (
            "loss>8 for 90s",
            "loss > 8 for 1m30s",
            Condition(kind=Kind.LIMIT, metric="loss", sign=">", value=8, seconds=90),
        ),
        ("run failed", "run failed", Condition(kind=Kind.STATUS, word="failed")),
        ("Lost", "run lost", Condition(kind=Kind.STATUS, word="lost")),
        ("run is unstable", "run unstable", Condition(kind=Kind.VERDICT, word="unstable")),
    ],
)
def test_conditions_are_read_and_written(text: str, written: str, wanted: Condition) -> None:
    assert parse(text) == wanted
    assert str(wanted) == written
    assert parse(written) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "loss",
        "loss >",
        "loss > eight",
        "loss > 1e999",
        "> 5",
        "no point",
        "no point for 0s",
        "no point for 500d",
        "no point for ever",
        "loss < 5 for 10 parsecs",
        "../loss > 1",
        "a\0b is nan",
        "* * * * * * is nan",
        "run along",
        "x" * 500,
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except InvalidInput:
        return
    assert parse(str(found)) == found


def test_stars_stand_for_any_text() -> None:
    assert matches(GPU, "system/gpu_0_utilization_percentage")
    assert matches(GPU, "system/node-2/gpu_11_utilization_percentage")
    assert not matches(GPU, "system/gpu_0_power_usage_watts")
    assert matches("*", "anything") and matches("a*", "a") and not matches("ab*ba", "aba")
    assert not matches("loss", "loss2")
    assert not matches("*".join("a" * 6), "a" * 4)


@pytest.mark.parametrize("time", [2**62, -(2**62), 10**15])
def test_a_time_beyond_the_calendar_is_shown_as_its_number(time: int) -> None:
    assert local_time(time) == str(time)
    assert local_time(1_760_000_000_000).startswith("2025-10-0")
