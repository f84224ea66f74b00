"""Latest, least and greatest of points that come in rounds are those that sorting would find."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logbuch.store.metrics import latest
from logbuch.store.metrics.arriving import Arrival, Arrived
from logbuch.store.metrics.points import find_rounds

VALUES = st.sampled_from([0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, 1e-320])
ROUNDS = st.tuples(
    st.permutations([3, 5, 9]), st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=2, max_size=6)
)


def arrived(keys: list[int], steps: list[int], values: list[float]) -> Arrived:
    columns = (np.array(keys), np.array(steps), np.arange(len(steps))[::-1], np.array(values))
    return Arrived.of([Arrival(7, "r", *columns)])


def table(points: Arrived) -> latest.OfRun:
    found = find_rounds(points.keys, points.points)
    assert found is not None
    return latest.OfRun(7, found)


@given(ROUNDS)
def test_rounds_need_no_sorting(rounds: tuple[list[int], list[list[float]]]) -> None:
    keys, values = rounds
    steps = [step for step in range(len(values)) for _ in keys]
    given = arrived(keys * len(values), steps, [value for row in values for value in row])
    found = latest._of_rounds(table(given), 1)
    assert found
    assert sorted(found) == latest._of_any(given, {7: 1}) == sorted(latest._summaries(table(given), {7: 1}))


def test_what_does_not_ascend_or_is_no_number_or_comes_in_another_order_is_left_to_sorting() -> None:
    for points, rounds in (
        (arrived([1, 2, 1, 2], [4, 4, 4, 4], [1.0, 2.0, 3.0, 4.0]), True),
        (arrived([1, 2, 1, 2], [4, 4, 5, 5], [1.0, 2.0, math.nan, 4.0]), True),
        (arrived([1, 2, 2, 1, 2, 2], [4, 4, 4, 5, 5, 5], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), False),
        (arrived([1, 2, 2, 1], [4, 4, 5, 5], [1.0, 2.0, 3.0, 4.0]), False),
        (arrived([1, 2, 1], [4, 4, 5], [1.0, 2.0, 3.0]), False),
    ):
        expected = latest._of_any(points, {7: 1})
        assert [row[1] for row in expected] == [1, 2]
        assert latest._summaries(points, {7: 1}) == expected
        if rounds:
            assert latest._of_rounds(table(points), 1) == []
            assert latest._summaries(table(points), {7: 1}) == expected
