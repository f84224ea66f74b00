"""How arrived points cut the blocks of a series, against a plain reckoning."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logbuch.store.metrics import blocks
from logbuch.store.metrics.blocks import Head
from logbuch.store.metrics.points import Series


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
