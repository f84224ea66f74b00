"""How arrived points cut the blocks of a series, against a plain reckoning."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logbuch.store.metrics import blocks
from logbuch.store.metrics.blocks import Head


@given(
    st.lists(st.integers(0, 60), max_size=12).map(sorted),
    st.lists(st.integers(0, 60), max_size=12).map(sorted),
)
def test_segments_hold_every_block_and_every_point_once_and_in_order(borders: list[int], steps: list[int]) -> None:
    known = [Head(index, 1, *borders[index * 2 : index * 2 + 2]) for index in range(len(borders) // 2)]
    found = list(blocks.segments(known, np.array(steps, np.int64)))
    assert [head for part in found for head in part.blocks] == known
    assert [index for part in found for index in range(part.start, part.end)] == list(range(len(steps)))
    for part in found:
        mine = steps[part.start : part.end]
        assert part.blocks or mine
        if not mine:
            assert len(part.blocks) == 1
        for head in part.blocks:
            touched = any(head.first_step <= step <= head.last_step for step in steps)
            assert touched == bool(mine), "a block is rewritten exactly if points fall into it"
    # What is written in the place of a segment overlaps no block that stays.
    for before, after in pairwise(found):
        last = max([head.last_step for head in before.blocks] + steps[before.start : before.end])
        first = min([head.first_step for head in after.blocks] + steps[after.start : after.end])
        assert last <= first
