"""Buckets against a plain reckoning of the same, point by point."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.store.metrics import buckets, rows
from logbuch.store.metrics.buckets import Buckets, View
from logbuch.store.metrics.points import Packer, Series, pack_arrival, split_arrivals, unpack_block
from logbuch.store.metrics.rows import Axis, Rows
from logbuch.store.metrics.smoothing import moving_average

VALUE = st.floats(allow_nan=True, allow_infinity=True, width=64)
POINTS = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(0, 5000), VALUE), min_size=1, max_size=60)


def series(points: list[tuple[int, int, float]]) -> Series:
    steps, timestamps, values = zip(*points, strict=True)
    return Series(np.array(steps, np.int64), np.array(timestamps, np.int64), np.array(values, np.float64))


def drawn(found: Series, view: View, axis: Axis = "step", origin: int = 0) -> Buckets:
    lines = Rows.of_points(found, axis, origin)
    low, high = float(lines.x[0]), float(lines.x_last[-1])
    return Buckets(buckets.table(lines, view, low, high), lines.points, low, high)


@settings(deadline=None)
@given(POINTS, st.integers(1, 20), st.sampled_from(["step", "time", "relative"]))
def test_every_bucket_is_exact(points: list[tuple[int, int, float]], count: int, axis: Axis) -> None:
    ordered = series(points).ordered()
    found = drawn(ordered, View(count), axis, 100)
    table = dict(zip(buckets.COLUMNS, found.table, strict=True))
    assert found.points == len(ordered)
    assert found.table.shape[1] <= max(count, 1)
    # The rows follow the series: cut it where they say, and reckon each part anew.
    by_axis = ordered if axis == "step" else ordered.by_time()
    x, values = Rows.of_points(ordered, axis, 100).x, by_axis.values
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
    found = drawn(series([(step, step, float(step)) for step in range(5)]), View(10))
    assert found.table[0].tolist() == [0, 1, 2, 3, 4]


def test_zoom_keeps_the_smoothing() -> None:
    rng = np.random.default_rng(1)
    whole = series([(step, step, float(rng.normal())) for step in range(500)])
    all_, part = (drawn(whole, View(1000, start, None, 0.9)) for start in (None, 300))
    smooth = buckets.COLUMNS.index("smooth")
    assert part.table[smooth].tolist() == all_.table[smooth][300:].tolist()


@pytest.mark.parametrize("weight", [1e-30, 0.01, 0.3, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize("most", [1, 128])
def test_the_moving_average_is_the_textbooks(weight: float, most: int) -> None:
    rng = np.random.default_rng(2)
    values, counts = rng.normal(size=3000), rng.integers(1, most + 1, 3000)
    smooth, carried, count = moving_average(values, counts.astype(float), weight), 0.0, 0
    for value, times, found in zip(values.tolist(), counts.tolist(), smooth.tolist(), strict=True):
        for _ in range(times):
            carried = weight * carried + (1 - weight) * value
        count += times
        assert found == pytest.approx(carried / (1 - weight**count), abs=1e-9)


def test_an_empty_range() -> None:
    found = drawn(series([(1, 1, 1.0)]), View(10, 5, 9))
    assert found.table.shape == (len(buckets.COLUMNS), 0)
    assert (found.x_min, found.x_max) == (1, 1)


def test_one_step_many_times() -> None:
    found = drawn(series([(3, 3, float(value)) for value in range(50)]), View(10))
    assert found.table[buckets.COLUMNS.index("count")].tolist() == [50]


def test_values_near_the_limits_do_not_overflow() -> None:
    found = drawn(series([(step, step, 1.7e308) for step in range(100)]), View(1))
    assert found.table[buckets.COLUMNS.index("mean"), 0] == pytest.approx(1.7e308)


MIXED = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), VALUE), min_size=1, max_size=400)


@settings(deadline=None)
@given(MIXED, st.integers(1, 40))
def test_buckets_of_summaries_say_what_buckets_of_points_say(points: list[tuple[int, int, float]], width: int) -> None:
    ordered = series(points).ordered()
    fine = Rows.of_points(ordered, "step")
    starts = np.arange(0, len(ordered), width)
    once = rows.merge(fine, starts)
    twice = rows.merge(once, np.arange(0, len(once), 3))
    direct = rows.merge(fine, np.arange(0, len(ordered), width * 3))
    assert twice.points == len(ordered)
    for name in ("x", "x_last", "count", "min", "max", "first", "last", "nan", "pos_inf", "neg_inf"):
        assert np.array_equal(getattr(twice, name), getattr(direct, name), equal_nan=True), name
    scale = max([abs(value) for value in fine.mean.tolist() if math.isfinite(value)] or [1.0]) or 1.0
    assert np.allclose(twice.mean / scale, direct.mean / scale, atol=1e-9, equal_nan=True)


def test_a_summary_comes_back_and_a_short_block_has_none() -> None:
    rng = np.random.default_rng(3)
    whole = Series(np.arange(5000), np.arange(5000) * 7, rng.normal(size=5000))
    packed = rows.summarize(whole)
    assert packed is not None
    assert len(packed) < len(whole)
    summary = rows.unpack(packed)
    assert summary is not None
    ascending, records = summary
    assert ascending
    assert (records["first_step"][1], records["last_time"][-1]) == (rows.STRETCH, 4999 * 7)
    by_time = Rows.of_summary(records, "relative", 7)
    assert (by_time.x[0], by_time.points) == (-7, 5000)
    assert by_time.max.max() == whole.values.max()
    assert rows.summarize(whole[: rows.LEAST - 1]) is None
    assert rows.unpack(b"\xff" + packed[1:]) is None
    backwards = rows.summarize(Series(whole.steps, whole.timestamps[::-1], whole.values))
    assert backwards is not None
    unpacked = rows.unpack(backwards)
    assert unpacked is not None
    assert not unpacked[0]


@settings(deadline=None)
@given(POINTS)
def test_packed_points_come_back_bit_for_bit(points: list[tuple[int, int, float]]) -> None:
    one = series(points)
    blob = pack_arrival(np.full(len(one), 7), one)
    for back in (unpack_block(Packer().block(one), len(one)), split_arrivals([blob])[7]):
        assert back.steps.tolist() == one.steps.tolist()
        assert back.timestamps.tolist() == one.timestamps.tolist()
        assert back.values.view(np.int64).tolist() == one.values.view(np.int64).tolist()


@pytest.mark.parametrize("span", [0, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1])
@pytest.mark.parametrize("least", [-(2**63), -7, 0])
def test_arrivals_take_any_span(least: int, span: int) -> None:
    ends = series([(least, least + span, 1.0), (least + span, least, 2.0)])
    back = split_arrivals([pack_arrival(np.array([3, 3 + min(span, 2**62)]), ends)])
    assert [int(one.steps[0]) for one in back.values()] == ([least, least + span] if span else [least])
    assert sorted(int(time) for one in back.values() for time in one.timestamps) == [least, least + span]


def test_plain_arrivals_of_the_first_form_are_read() -> None:
    plain = struct.pack("<Q", 2) + struct.pack("<6q", 5, 5, -1, 2**62, 7, 8) + struct.pack("<2d", 0.5, math.inf)
    back = split_arrivals([plain])[5]
    assert (back.steps.tolist(), back.timestamps.tolist()) == ([-1, 2**62], [7, 8])
    assert back.values.tolist() == [0.5, math.inf]


def test_an_arrival_is_split_by_key() -> None:
    blob = pack_arrival(np.array([1, 2, 1, 3]), series([(0, 0, 1.0), (0, 0, 2.0), (1, 0, 3.0), (0, 0, 4.0)]))
    split = split_arrivals([blob, blob], frozenset({1, 3}))
    assert sorted(split) == [1, 3]
    assert split[1].values.tolist() == [1.0, 3.0, 1.0, 3.0]


def test_a_block_of_a_later_version_is_refused() -> None:
    blob = bytearray(Packer().block(series([(1, 1, 1.0)])))
    blob[0] = 99
    with pytest.raises(ValueError, match="unknown version"):
        unpack_block(bytes(blob), 1)


def test_equal_columns_of_a_packer_are_shared() -> None:
    packer = Packer()
    blobs = [packer.block(series([(step, step, value * step) for step in range(50)])) for value in (1.0, 2.0)]
    assert len(packer._packed) == 1
    assert [unpack_block(blob, 50).values[1] for blob in blobs] == [1.0, 2.0]


@pytest.mark.parametrize("scale", [1e-320, 1.0, 1.7e308])
@pytest.mark.parametrize("length", [rows.LEAST, rows.LEAST + 1, 5 * rows.LEAST - 3])
def test_a_summary_of_finite_points_says_to_the_bit_what_merging_them_says(length: int, scale: float) -> None:
    values = np.cos(np.arange(length)) * scale
    values[::9] = -0.0
    whole = Series(np.arange(length), np.arange(length) * 7, values)
    packed = rows.summarize(whole)
    assert packed is not None
    found = rows.unpack(packed)
    assert found is not None
    wanted = rows.merge(Rows.of_points(whole, "step"), np.arange(0, length, rows.STRETCH))
    for name in ("count", "min", "max", "first", "last", "mean", "nan", "pos_inf", "neg_inf"):
        assert found[1][name].astype(np.float64).tobytes() == getattr(wanted, name).tobytes(), name
