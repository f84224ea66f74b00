"""Curves of groups against a plain reckoning, bucket by bucket."""

from __future__ import annotations

import math
import statistics as plain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.store.grouping import aligned
from logbuch.store.grouping.aligned import Extent
from logbuch.store.metrics import buckets
from logbuch.store.metrics.buckets import View
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.rows import Rows

Points = list[tuple[int, float]]
VALUE = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
POINTS = st.lists(st.tuples(st.integers(-50, 50), VALUE), max_size=40)


def draw(
    series: list[Points], members: list[list[int]], count: int, ends: tuple[int, int] | None = None
) -> list[dict[str, list[float]]]:
    """The curves of series given as (step, value); as :mod:`logbuch.store.grouping.curves` puts the parts together."""
    xs = [step for points in series for step, _ in points]
    low, high = ends or ((min(xs), max(xs)) if xs else (0, 0))
    cut = [thinned(points, View(count, low, high)) for points in series]
    tables = aligned.tables(cut, members, Extent(low, high), count)
    return [dict(zip(aligned.COLUMNS, table.tolist(), strict=True)) for table in tables]


def thinned(points: Points, view: View) -> aligned.Floats:
    steps, values = zip(*points, strict=True) if points else ((), ())
    ordered = Series(np.array(steps, np.int64), np.array(steps, np.int64), np.array(values, np.float64)).ordered()
    return aligned.thin(buckets.table(Rows.of_points(ordered, "step"), view, 0, 0))


@settings(deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=6), st.integers(1, 30), st.data())
def test_every_bucket_is_exact(series: list[Points], count: int, data: st.DataObject) -> None:
    place = st.integers(0, len(series) - 1)
    members = data.draw(st.lists(st.lists(place, unique=True, max_size=4), max_size=3))
    found = draw(series, members, count)
    assert len(found) == len(members)
    borders: dict[float, float] = {}
    for group, curve in zip(members, found, strict=True):
        seen = 0
        for bucket in range(len(curve["x"])):
            row = {name: column[bucket] for name, column in curve.items()}
            assert borders.setdefault(row["x"], row["x_last"]) == row["x_last"], "groups share their buckets"
            inside = [[value for x, value in unique(series[one]) if row["x"] <= x <= row["x_last"]] for one in group]
            check(row, inside)
            seen += sum(map(len, inside))
        assert curve["x"] == sorted(curve["x"])
        assert len(curve["x"]) <= count
        assert seen == sum(len(unique(series[one])) for one in group)


def unique(points: Points) -> Points:
    """Without what was logged twice."""
    return list({(x, repr(value)): (x, value) for x, value in points}.values())


def check(row: dict[str, float], inside: list[list[float]]) -> None:
    """``inside``: of each run the values in the bucket."""
    means = [plain.fmean(finite) for part in inside if (finite := [value for value in part if math.isfinite(value)])]
    odd = {"nan": math.isnan, "pos_inf": math.inf.__eq__, "neg_inf": (-math.inf).__eq__}
    for name, test in odd.items():
        assert row[name] == sum(any(test(value) is True for value in part) for part in inside)
    assert row["runs"] == len(means)
    if means:
        assert row["mean"] == pytest.approx(plain.fmean(means), rel=1e-9, abs=1e-6)
        assert (row["min"], row["max"]) == pytest.approx((min(means), max(means)), rel=1e-9, abs=1e-6)
    if len(means) > 1:
        assert row["std"] == pytest.approx(plain.stdev(means), rel=1e-6, abs=1e-6)
        assert row["stderr"] == pytest.approx(plain.stdev(means) / math.sqrt(len(means)), rel=1e-6, abs=1e-6)
    else:
        assert math.isnan(row["std"])
        assert math.isnan(row["low"])


def test_runs_of_the_same_steps_meet_at_each_step() -> None:
    one, two, short = [[(step, base + step) for step in range(0, 500, 5)] for base in (0.0, 2.0, 4.0)]
    (curve,) = draw([one, two, short[:30]], [[0, 1, 2]], 600)
    assert curve["x"] == curve["x_last"] == list(range(0, 500, 5))
    assert curve["runs"] == [3] * 30 + [2] * 70
    assert curve["mean"][0] == 2
    assert curve["std"][29] == 2
    assert curve["low"][29] == pytest.approx(2 + 29 * 5 - 4.302652729749462 * 2 / math.sqrt(3))
    assert curve["high"][99] == pytest.approx(1 + 99 * 5 + 12.706204736174694)


def test_runs_of_other_steps_meet_in_parts_of_the_range() -> None:
    one = [(step, 1.0) for step in range(0, 1000, 10)]
    two = [(step, 3.0) for step in range(3, 1000, 7)]
    (curve,) = draw([one, two], [[0, 1]], 600)
    assert len(curve["x"]) <= len(two)
    assert sum(runs == 2 for runs in curve["runs"]) > len(one) / 2
    assert {mean for mean, runs in zip(curve["mean"], curve["runs"], strict=True) if runs == 2} == {2}


def test_a_run_that_logs_often_weighs_no_more() -> None:
    often, seldom = [(step, 1.0) for step in range(1000)], [(0, 3.0), (999, 3.0)]
    (curve,) = draw([often, seldom], [[0, 1]], 1)
    assert (curve["runs"], curve["mean"], curve["min"], curve["max"]) == ([2], [2], [1], [3])


def test_zoomed_edges_are_those_of_the_view() -> None:
    series = [[(step, float(step)) for step in range(start, 1000)] for start in (0, 100)]
    (first, second) = draw(series, [[0], [1]], 10, (0, 199))
    assert first["x"] == [0, 20, 40, 60, 80, 100, 120, 140, 160, 180]
    assert second["x"] == first["x"][5:]
    assert second["mean"] == first["mean"][5:]


def test_values_near_the_limits_do_not_overflow() -> None:
    (curve,) = draw([[(step, 1.7e308) for step in range(100)] for _ in range(3)], [[0, 1, 2]], 1)
    assert curve["mean"] == pytest.approx([1.7e308])
    assert curve["std"] == [0]


def test_no_series_and_no_points() -> None:
    assert draw([], [], 10) == []
    assert draw([[]], [[0], []], 10) == [{name: [] for name in aligned.COLUMNS}] * 2
