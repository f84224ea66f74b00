"""The numbers of groups against Python's own statistics module, and Student's t against printed tables."""

from __future__ import annotations

import math
import statistics as plain
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logbuch.store.grouping import statistics

VALUES = st.floats(allow_nan=True, allow_infinity=True, width=64)
TINY = 5e-324


def of(*groups: Sequence[float]) -> statistics.Statistics:
    values = np.array([value for group in groups for value in group], np.float64)
    codes = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    shuffled = np.random.default_rng(1).permutation(len(values))
    return statistics.of_groups(values[shuffled], codes[shuffled], len(groups))


def near(found: float, expected: Fraction | float, size: Fraction | float) -> bool:
    """Equal but for rounding, where ``size`` is the greatest magnitude among the values."""
    if math.isinf(found):
        return abs(Fraction(expected)) >= Fraction(1.797e308)
    return abs(Fraction(found) - Fraction(expected)) <= Fraction(size) * Fraction(1, 10**12) + Fraction(TINY)


@given(st.lists(st.lists(VALUES, max_size=12), max_size=6))
@example([[1.7e308] * 3, [1.7e308, -1.7e308], [TINY, TINY * 3], [0.0, -0.0], [1.0]])
@example([[1e16, 1.0, -1e16], [], [math.nan, math.inf]])
def test_every_number_is_that_of_the_statistics_module(groups: list[list[float]]) -> None:
    found = of(*groups)
    for place, group in enumerate(groups):
        finite = [Fraction(value) for value in group if math.isfinite(value)]
        assert found.count[place] == len(finite)
        assert found.nan[place] == sum(map(math.isnan, group))
        assert (found.pos_inf[place], found.neg_inf[place]) == (group.count(math.inf), group.count(-math.inf))
        numbers = {name: float(getattr(found, name)[place]) for name in statistics.NAMES[1:9]}
        if not finite:
            assert all(map(math.isnan, numbers.values()))
            continue
        size = float(max(map(abs, finite)))
        assert (numbers["min"], numbers["max"]) == (float(min(finite)), float(max(finite)))
        assert near(numbers["mean"], plain.mean(finite), size)
        assert numbers["min"] <= numbers["mean"] <= numbers["max"]
        assert near(numbers["median"], plain.median(finite), size)
        if len(finite) == 1:
            assert all(math.isnan(numbers[name]) for name in ("std", "stderr", "low", "high"))
            continue
        # Of the variance, exact as a fraction, the root is taken after scaling, lest it leave the range of doubles.
        variance = plain.variance(finite) / Fraction(size or 1.0) ** 2
        std = Fraction(math.sqrt(variance)) * Fraction(size)
        assert near(numbers["std"], std, size)
        error = std / Fraction(math.sqrt(len(finite)))
        assert near(numbers["stderr"], error, size)
        reach = error * Fraction(statistics.student_quantile(len(finite) - 1))
        assert near(numbers["low"], plain.mean(finite) - reach, Fraction(size) * 20)
        assert near(numbers["high"], plain.mean(finite) + reach, Fraction(size) * 20)


def test_one_value_many_times_does_not_spread() -> None:
    found = of([0.1] * 1000, [1e308] * 7, [TINY] * 5)
    assert found.mean.tolist() == [0.1, 1e308, TINY]
    assert found.std.tolist() == [0, 0, 0]
    assert found.low.tolist() == found.high.tolist() == [0.1, 1e308, TINY]


def test_values_near_the_greatest_double() -> None:
    found = of([1e308, 1.2e308, 1.4e308], [-1.7e308, 1.7e308])
    assert found.mean.tolist() == pytest.approx([1.2e308, 0])
    assert found.std[0] == pytest.approx(2e307)
    assert found.std[1] == math.inf, "the standard deviation of these two, 2.4e308, is no double"
    assert found.stderr[1] == pytest.approx(1.7e308)


def test_denormal_values_keep_their_spread() -> None:
    found = of([1 * TINY, 3 * TINY, 5 * TINY])
    assert (found.mean[0], found.std[0], found.median[0]) == (3 * TINY, 2 * TINY, 3 * TINY)


def test_a_small_spread_far_from_zero() -> None:
    found = of([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])
    assert found.std[0] == math.sqrt(30)


def test_a_group_without_values_and_no_group_at_all() -> None:
    found = of([], [1.0, 2.0], [])
    assert found.count.tolist() == [0, 2, 0]
    assert np.isnan(found.mean).tolist() == [True, False, True]
    assert len(of().count) == 0


@pytest.mark.parametrize(
    ("degrees", "t"),
    [
        (1, 12.706204736174694),
        (2, 4.302652729749462),
        (3, 3.1824463052837078),
        (4, 2.7764451051977934),
        (5, 2.5705818356363146),
        (9, 2.262157162798205),
        (10, 2.228138851986274),
        (29, 2.045229642132703),
        (30, 2.0422724563012378),
        (100, 1.9839715185235518),
        (199, 1.9719565442517533),
        (200, 1.9718962236339088),
        (1000, 1.9623390808264083),
        (1e18, 1.959963984540054),
    ],
)
def test_students_quantiles_of_95_per_cent(degrees: float, t: float) -> None:
    assert statistics.student_quantile(degrees) == pytest.approx(t, rel=2e-12)


@pytest.mark.parametrize(
    ("confidence", "degrees", "t"),
    [(0.5, 1, 1.0), (0.9, 7, 1.894579), (0.99, 1, 63.656741), (0.99, 12, 3.054540), (0.999, 3, 12.923979)],
)
def test_students_quantiles_of_other_confidences(confidence: float, degrees: float, t: float) -> None:
    assert statistics.student_quantile(degrees, confidence) == pytest.approx(t, abs=5e-7)


@given(st.floats(0, 200), st.floats(1, 500))
def test_the_tails_of_students_distribution(t: float, degrees: float) -> None:
    tails = statistics.student_tails(t, degrees)
    assert 0 <= tails <= 1
    assert statistics.student_tails(t + 1, degrees) < tails or tails < 1e-300
    if degrees == 1:
        assert tails == pytest.approx(1 - 2 / math.pi * math.atan(t))


@pytest.mark.parametrize("t", [0, 1e-9, 0.3, 1, 2.5, 40])
def test_one_and_two_degrees_of_freedom_have_a_closed_form(t: float) -> None:
    assert statistics.student_tails(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), rel=1e-12)
    assert statistics.student_tails(t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-9)
