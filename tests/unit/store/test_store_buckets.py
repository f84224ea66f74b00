"""Buckets against a plain reckoning of the same, point by point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.store.metrics import buckets
from logbuch.store.metrics.points import Series, pack_arrival, pack_block, split_arrivals, unpack_block

VALUE = st.floats(allow_nan=True, allow_infinity=True, width=64)
POINTS = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(0, 5000), VALUE), min_size=1, max_size=60)


def series(points: list[tuple[int, int, float]]) -> Series:
    steps, timestamps, values = zip(*points, strict=True)
    return Series(np.array(steps, np.int64), np.array(timestamps, np.int64), np.array(values, np.float64))


@settings(deadline=None)
@given(POINTS, st.integers(1, 20), st.sampled_from(["step", "time", "relative"]))
def test_every_bucket_is_exact(points: list[tuple[int, int, float]], count: int, axis: buckets.Axis) -> None:
    ordered = series(points).ordered()
    found = buckets.summarize(ordered, axis, count, origin=100)
    assert found is not None
    table = dict(zip(buckets.COLUMNS, found.table, strict=True))
    assert found.points == len(ordered)
    assert found.table.shape[1] <= max(count, 1)
    # The rows follow the series: cut it where they say, and reckon each part anew.
    x, values = buckets._axis(ordered, axis, 100)
    sizes = (table["count"] + table["nan"] + table["pos_inf"] + table["neg_inf"]).astype(int)
    assert sizes.sum() == len(ordered)
    start = 0
    for row, size in enumerate(sizes.tolist()):
        part, xs = values[start : start + size], x[start : start + size]
        finite = [float(value) for value in part if math.isfinite(value)]
        assert (table["x"][row], table["x_last"][row]) == (xs[0], xs[-1])
        assert table["count"][row] == len(finite)
        assert table["nan"][row] == sum(map(math.isnan, part))
        if finite:
            assert (table["min"][row], table["max"][row]) == (min(finite), max(finite))
            assert (table["first"][row], table["last"][row]) == (finite[0], finite[-1])
            assert min(finite) <= table["mean"][row] <= max(finite)
        else:
            assert np.isnan([table[name][row] for name in ("min", "max", "first", "last", "mean", "smooth")]).all()
        start += size


def test_few_points_come_one_by_one() -> None:
    found = buckets.summarize(series([(step, step, float(step)) for step in range(5)]), "step", 10)
    assert found is not None
    assert found.table[0].tolist() == [0, 1, 2, 3, 4]


def test_zoom_keeps_the_smoothing() -> None:
    rng = np.random.default_rng(1)
    whole = series([(step, step, float(rng.normal())) for step in range(500)])
    all_, part = (buckets.summarize(whole, "step", 1000, start, None, 0.9) for start in (None, 300))
    assert all_ is not None
    assert part is not None
    smooth = buckets.COLUMNS.index("smooth")
    assert part.table[smooth].tolist() == all_.table[smooth][300:].tolist()


@pytest.mark.parametrize("weight", [0.01, 0.3, 0.9, 0.99, 0.999])
def test_the_moving_average_is_the_textbooks(weight: float) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=5000)
    values[[7, 4000]] = [np.nan, np.inf]
    smooth, carried, count = buckets._moving_average(values, weight), 0.0, 0
    for value, found in zip(values, smooth, strict=True):
        if not math.isfinite(value):
            assert math.isnan(found) if math.isnan(value) else found == value
            continue
        carried, count = weight * carried + (1 - weight) * value, count + 1
        assert found == pytest.approx(carried / (1 - weight**count), abs=1e-9)


def test_an_empty_range_and_an_empty_series() -> None:
    found = buckets.summarize(series([(1, 1, 1.0)]), "step", 10, start=5, end=9)
    assert found is not None
    assert found.table.shape == (len(buckets.COLUMNS), 0)
    assert (found.x_min, found.x_max) == (1, 1)
    assert buckets.summarize(Series.empty(), "step", 10) is None


def test_one_step_many_times() -> None:
    found = buckets.summarize(series([(3, 3, float(value)) for value in range(50)]), "step", 10)
    assert found is not None
    assert found.table[buckets.COLUMNS.index("count")].tolist() == [50]


def test_values_near_the_limits_do_not_overflow() -> None:
    found = buckets.summarize(series([(step, step, 1.7e308) for step in range(100)]), "step", 1)
    assert found is not None
    assert found.table[buckets.COLUMNS.index("mean"), 0] == pytest.approx(1.7e308)


@settings(deadline=None)
@given(POINTS)
def test_packed_points_come_back_bit_for_bit(points: list[tuple[int, int, float]]) -> None:
    one = series(points)
    blob = pack_arrival([7] * len(one), one.steps.tolist(), one.timestamps.tolist(), one.values.tolist())
    for back in (unpack_block(pack_block(one)), split_arrivals([blob])[7]):
        assert back.steps.tolist() == one.steps.tolist()
        assert back.timestamps.tolist() == one.timestamps.tolist()
        assert back.values.view(np.int64).tolist() == one.values.view(np.int64).tolist()


def test_an_arrival_is_split_by_key() -> None:
    blob = pack_arrival([1, 2, 1, 3], [0, 0, 1, 0], [0] * 4, [1.0, 2.0, 3.0, 4.0])
    split = split_arrivals([blob, blob], frozenset({1, 3}))
    assert sorted(split) == [1, 3]
    assert split[1].values.tolist() == [1.0, 3.0, 1.0, 3.0]


def test_a_block_of_a_later_version_is_refused() -> None:
    blob = bytearray(pack_block(series([(1, 1, 1.0)])))
    blob[0] = 99
    with pytest.raises(ValueError, match="unknown version"):
        unpack_block(bytes(blob))
