"""Points that come in rounds are kept as a table, and come back as they were; all others are not taken for one."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from logbuch.store.metrics import points, rounds
from logbuch.store.metrics.points import Series, pack_arrival, split_arrivals, unpack_arrival

Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
Point = tuple[int, int, int, int]
NUMBERS = st.sampled_from([-(2**63), -1, 0, 7, 300, 2**40, 2**63 - 1])
VALUES = st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf, 1e-320])


@st.composite
def tables(draw: st.DrawFn) -> list[list[tuple[int, int, int, float]]]:
    """Rounds of points, with steps and times of the round or of each point."""
    keys = draw(st.lists(st.sampled_from([1, 2, 70, 2**40]), min_size=1, max_size=4, unique=True))
    own_step, own_time = draw(st.booleans()), draw(st.booleans())
    made = []
    for _ in range(draw(st.integers(1, 6))):
        step, time = draw(NUMBERS), draw(NUMBERS)
        made.append(
            [
                (key, draw(NUMBERS) if own_step else step, draw(NUMBERS) if own_time else time, draw(VALUES))
                for key in keys
            ]
        )
    return made


def columns(given: list[tuple[int, int, int, float]]) -> Columns:
    kinds: tuple[Any, ...] = (np.int64, np.int64, np.int64, np.float64)
    made = [np.array(column, kind) for column, kind in zip(zip(*given, strict=True), kinds, strict=True)]
    return made[0], made[1], made[2], made[3]


def bits(given: Any) -> list[Point]:
    keys, steps, timestamps, values = given
    rows = (keys.tolist(), steps.tolist(), timestamps.tolist(), np.ascontiguousarray(values).view(np.int64).tolist())
    return list(zip(*rows, strict=True))


@given(tables(), st.booleans())
def test_rounds_come_back_bit_for_bit_however_they_lie(made: list[Any], upright: bool) -> None:
    rows = [list(column) for column in zip(*made, strict=True)] if upright else made
    given = columns([point for row in rows for point in row])
    found = rounds.find(*given)
    if len(given[0]) < 2:
        assert found is None
        return
    assert found is not None
    back = rounds.unpack(rounds.pack(found))
    assert back is not None
    assert sorted(bits(back.spread())) == sorted(bits(given))
    assert bits(back.spread()) == bits(found.spread())


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 2), VALUES), min_size=2, max_size=9))
def test_whatever_is_found_holds_the_same_points(given: list[tuple[int, int, int, float]]) -> None:
    found = rounds.find(*columns(given))
    if found is not None:
        assert sorted(bits(found.spread())) == sorted(bits(columns(given)))


def test_another_order_and_rounds_that_are_not_whole_are_no_table() -> None:
    for keys in ([1, 2, 2, 1], [1, 2, 1], [1, 1, 2], [1, 1, 2, 2, 2], [1, 2, 3, 1, 2, 4]):
        assert rounds.find(*columns([(key, 0, 0, 0.5) for key in keys])) is None


def table(keys: list[int], count: int, own_times: bool = False) -> rounds.Rounds:
    made = [(key, at, at * 10 + (key if own_times else 0), at + key / 8) for at in range(count) for key in keys]
    found = rounds.find(*columns(made))
    assert found is not None
    return found


def test_tables_of_the_same_keys_are_one() -> None:
    parts = [table([1, 2, 5], 2), table([1, 2, 5], 3, own_times=True), table([1, 2, 5], 1)]
    whole = rounds.joined(parts)
    assert whole is not None
    assert bits(whole.spread()) == [point for part in parts for point in bits(part.spread())]
    assert rounds.joined([table([1, 2, 5], 2), table([1, 5, 2], 2)]) is None
    twice = rounds.find(*columns([(key, 0, 0, 0.5) for key in (1, 2, 2) * 2]))
    assert twice is not None
    assert rounds.joined([twice]) is None


def arrival(keys: list[int], count: int, first: int = 0) -> bytes:
    made = [(key, at, at * 10, at + key / 8) for at in range(first, first + count) for key in keys]
    own, *rest = columns(made)
    return pack_arrival(own, Series(rest[0], rest[1], rest[2]))  # type: ignore[arg-type]


def test_arrivals_in_rounds_are_short_and_are_split_like_others() -> None:
    blobs = [arrival([3, 1, 9], 40, first) for first in (0, 40)]
    assert rounds.unpack(blobs[0]) is not None
    assert len(blobs[0]) < 9.5 * 120 + 100
    other = arrival([1], 3, 80)  # few points are not looked at
    assert rounds.unpack(other) is None
    alone, mixed = split_arrivals(blobs), split_arrivals([*blobs, other])
    assert sorted(alone) == sorted(mixed) == [1, 3, 9]
    for key in (1, 3, 9):
        assert alone[key].steps.tolist() == list(range(80))
        assert alone[key].timestamps.tolist() == [10 * at for at in range(80)]
        assert alone[key].values.tolist() == [at + key / 8 for at in range(80)]
        assert mixed[key].values.tolist()[:80] == alone[key].values.tolist()
    chosen = split_arrivals(blobs, frozenset({9, 77}))
    assert list(chosen) == [9]
    assert chosen[9].values.tolist() == alone[9].values.tolist()


@pytest.mark.parametrize("wanted", [{1}, {1, 3}, {3, 9}, {5}, {1, 5, 9, 77}, {77}, set()])
def test_what_is_wanted_of_several_arrivals_is_what_all_of_them_hold_of_it(wanted: set[int]) -> None:
    blobs = [arrival([3, 1, 9], 40), arrival([5, 1], 40, 40), arrival([3, 1, 9], 40, 90)]
    whole = split_arrivals(blobs)
    found = split_arrivals(blobs, frozenset(wanted))
    assert sorted(found) == sorted(wanted - {77})
    for key, series in found.items():
        assert series.steps.tolist() == whole[key].steps.tolist()
        assert series.timestamps.tolist() == whole[key].timestamps.tolist()
        assert series.values.tolist() == whole[key].values.tolist()


@pytest.mark.parametrize("own", [[0], [4, 0, 4]])
def test_a_part_of_the_keys_is_read_with_its_own_steps_and_times(own: list[int]) -> None:
    keys = [4, 0, 2, 6]
    made = [(key, 9 * at + key, -at - key, key + at / 4) for at in range(10) for key in keys]
    one, *rest = columns(made)
    blob = pack_arrival(one, Series(rest[0], rest[1], rest[2]))  # type: ignore[arg-type]
    found, back = unpack_arrival(blob, np.unique(own))
    assert bits((found, back.steps, back.timestamps, back.values)) == bits(
        columns([point for point in made if point[0] in own])
    )


def test_a_damaged_table_is_refused() -> None:
    blob = arrival([3, 1, 9], 40)
    for damaged in (blob[:-1], blob[:20], struct.pack("<2Q", 1 << 56 | 120, 7) + blob[16:]):
        with pytest.raises((ValueError, struct.error)):
            unpack_arrival(damaged)
    with pytest.raises(KeyError):
        unpack_arrival(struct.pack("<Q", struct.unpack_from("<Q", blob)[0] | 3 << 32) + blob[8:])


def test_few_points_are_not_looked_at() -> None:
    least = points.LEAST_OF_ROUNDS
    assert rounds.unpack(arrival([1, 2], least // 2 - 1)) is None
    assert rounds.unpack(arrival([1, 2], least // 2)) is not None
