"""The order that brings series together is numpy's stable one, whichever way it was found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.store.metrics import sorting


def check(codes: list[int], span: int) -> None:
    given = np.array(codes, np.int64)
    assert sorting.together(given, span).tolist() == np.argsort(given, kind="stable").tolist()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(1, 5), st.lists(st.integers(0, 3), max_size=2))
def test_rounds_of_the_same_keys_and_what_disturbs_them(one: list[int], rounds: int, more: list[int]) -> None:
    check(one * rounds + more, 4)


@pytest.mark.parametrize("span", [3, 1 << 16, 1 << 40])
def test_narrow_and_wide_codes(span: int) -> None:
    codes = [0, span - 1, span // 2, span - 1, 0]
    check(codes, span)
    check(codes[:3] * 4, span)
