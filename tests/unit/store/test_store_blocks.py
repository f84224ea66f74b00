"""How arrived points cut the blocks of a series, and what is said of new ones, against a plain reckoning."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.store.metrics import blocks, ordinal
from logbuch.store.metrics.blocks import Head, Rewrite
from logbuch.store.metrics.points import Series, unpack_block


@given(
    st.lists(st.integers(0, 60), max_size=12).map(sorted),
    st.lists(st.integers(0, 60), max_size=12).map(sorted),
)
def test_segments_hold_every_block_and_every_point_once_and_in_order(borders: list[int], steps: list[int]) -> None:
    pairs = [(border // 4, border % 4) for border in borders]
    known = [Head(index, 1, *pairs[index * 2 : index * 2 + 2], 0, 3) for index in range(len(pairs) // 2)]
    places = [(step // 4, step % 4) for step in steps]
    arrived = Series(*(np.array([place[part] for place in places], np.int64) for part in (0, 1)), np.zeros(len(steps)))
    found = list(blocks.segments(known, arrived))
    assert [head for part in found for head in part.blocks] == known
    assert [index for part in found for index in range(part.start, part.end)] == list(range(len(steps)))
    for part in found:
        mine = places[part.start : part.end]
        assert part.blocks or mine
        if not mine:
            assert len(part.blocks) == 1
        for head in part.blocks:
            touched = any(head.first <= place <= head.last for place in places)
            assert touched == bool(mine), "a block is rewritten exactly if points fall into it"
    # What is written in the place of a segment overlaps no block that stays.
    for before, after in pairwise(found):
        last = max([head.last for head in before.blocks] + places[before.start : before.end])
        first = min([head.first for head in after.blocks] + places[after.start : after.end])
        assert last <= first


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(-(2**63), 2**63 - 1),
                st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5, -1.5, 5e-324]),
            ),
            min_size=1,
            max_size=6,
        ),
        min_size=1,
        max_size=9,
    )
)
def test_each_new_block_says_what_its_points_are(made: list[list[tuple[int, float]]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_POINTS", 4)
        packed = blocks.pack(7, [Rewrite(key, (), _series(points), even=False) for key, points in enumerate(made)])
    expected = [(key, points[at : at + 4]) for key, points in enumerate(made) for at in range(0, len(points), 4)]
    assert len(packed.blocks) == len(expected)
    for (row, summary), (key, points) in zip(packed.blocks, expected, strict=True):
        times, ordinals = [time for time, _ in points], [ordinal.encode(value) for _, value in points]
        numbers = [one for one in ordinals if one != ordinal.NAN]
        reach = (min(times), max(times), min(numbers, default=None), max(numbers, default=None))
        assert row[:-1] == (7, key, len(points), 0, len(points) - 1, times[0], times[-1], *reach)
        assert summary is None
        assert ordinal.encode_array(unpack_block(row[-1], len(points)).values).tolist() == ordinals


def _series(points: list[tuple[int, float]]) -> Series:
    steps = np.arange(len(points)) % 4  # those of each block begin at 0
    return Series(steps, np.array([time for time, _ in points]), np.array([value for _, value in points]))
