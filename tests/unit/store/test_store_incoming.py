"""Points as they come in, turned into columns."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.errors import InvalidInput
from logbuch.limits import INT64_MAX, INT64_MIN
from logbuch.model import Metric
from logbuch.store.metrics.incoming import Incoming

KEYS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=5)


@given(KEYS, st.integers(0, 4), KEYS)
def test_columns_say_what_the_points_said(one: list[str], rounds: int, more: list[str]) -> None:
    keys = one * rounds + more
    points = [Metric(key=key, value=place / 4, timestamp=place, step=-place) for place, key in enumerate(keys)]
    found = Incoming.of(points)
    assert len(found) == len(points)
    assert sorted(set(found.names)) == sorted(found.names) == sorted(set(keys))
    assert [found.names[number] for number in found.index] == keys
    assert list(found.values) == [point.value for point in points]
    assert list(found.timestamps) == [point.timestamp for point in points]
    assert list(found.steps) == [point.step for point in points]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324])
def test_a_single_point_is_a_column_of_one(value: float) -> None:
    found = Incoming.one("loss", value, 17, INT64_MIN)
    assert (found.names, list(found.index), list(found.timestamps), list(found.steps)) == (
        ["loss"],
        [0],
        [17],
        [INT64_MIN],
    )
    assert (
        found.values.tobytes() == Incoming.of([Metric(key="loss", value=value, timestamp=17, step=0)]).values.tobytes()
    )


@pytest.mark.parametrize("number", [INT64_MAX + 1, INT64_MIN - 1])
def test_a_number_that_does_not_fit_is_named(number: int) -> None:
    with pytest.raises(InvalidInput, match=f"Invalid value {number} for parameter 'step'"):
        Incoming.one("loss", 1.0, 0, number)
    with pytest.raises(InvalidInput, match=f"Invalid value {number} for parameter 'timestamp'"):
        Incoming.of([Metric(key="loss", value=1.0, timestamp=number, step=0)])
