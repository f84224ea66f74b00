"""Doubles as sorting integers."""

from __future__ import annotations

import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logbuch.store.metrics import ordinal

FLOATS = st.floats(allow_nan=False)


@given(FLOATS)
def test_every_value_comes_back_bit_for_bit(value: float) -> None:
    assert struct.pack("<d", ordinal.decode(ordinal.encode(value))) == struct.pack("<d", value)


@given(FLOATS, FLOATS)
def test_ordinals_sort_like_the_numbers(a: float, b: float) -> None:
    if a < b:
        assert ordinal.encode(a) < ordinal.encode(b)
    assert ordinal.NEGATIVE_INFINITY <= ordinal.encode(a) <= ordinal.INFINITY < ordinal.NAN


@given(st.lists(st.floats()))
def test_many_at_once_are_the_same(values: list[float]) -> None:
    expected = [ordinal.encode(value) for value in values]
    assert ordinal.encode_all(values) == expected
    array = ordinal.encode_array(np.array(values, np.float64))
    assert array.tolist() == expected
    assert [math.isnan(v) for v in ordinal.decode_array(array)] == [math.isnan(v) for v in values]


def test_there_is_one_nan() -> None:
    negative = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_0001))[0]
    assert ordinal.encode(negative) == ordinal.encode(math.nan) == ordinal.NAN
    assert math.isnan(ordinal.decode(ordinal.NAN))
    assert (ordinal.encode(0.0), ordinal.encode(-0.0)) == (ordinal.ZERO, ordinal.NEGATIVE_ZERO)
