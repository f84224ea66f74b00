from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from logbuch.errors import InvalidInput
from logbuch.model import RunStatus
from logbuch.sdk import values


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (True, 1.0), (Decimal("0.5"), 0.5), (np.float32(0.25), 0.25), (np.array([3]), 3.0), (np.int64(7), 7.0)],
)
def test_numbers_of_all_kinds(value: object, expected: float) -> None:
    assert values.as_float(value, "m") == expected


def test_nan_and_infinities_are_numbers() -> None:
    assert math.isnan(values.as_float(np.nan, "m"))
    assert values.as_float(-math.inf, "m") == -math.inf


@pytest.mark.parametrize("value", ["0.5", b"1", None, [1.0], np.array([1, 2]), 10**400, object(), 1j])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(InvalidInput, match="must be a number"):
        values.as_float(value, "m")


@pytest.mark.parametrize(("value", "expected"), [(3, 3), (3.0, 3), (np.int32(4), 4), (True, 1), (-(2**63), -(2**63))])
def test_integers(value: object, expected: int) -> None:
    assert values.as_integer(value, "step") == expected


@pytest.mark.parametrize("value", [1.5, "1", None, 2**63, math.nan, math.inf])
def test_what_is_no_integer(value: object) -> None:
    with pytest.raises(InvalidInput):
        values.as_integer(value, "step")


def test_long_params_are_cut_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(values.as_param("x" * 7000, "p")) == 6000
    assert len(values.as_tag("x" * 9000, "t")) == 8000
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    with pytest.raises(InvalidInput, match="6000"):
        values.as_param("x" * 7000, "p")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_texts_that_no_database_keeps(text: str) -> None:
    with pytest.raises(InvalidInput):
        values.as_param(text, "p")


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a\n", "é#", 1, None])
def test_bad_keys(key: object) -> None:
    with pytest.raises(InvalidInput):
        values.check_key(key, "key")


def test_status() -> None:
    assert values.as_status("FAILED") is RunStatus.FAILED
    assert values.as_status(3) is RunStatus.FINISHED
    assert values.as_status(RunStatus.KILLED) is RunStatus.KILLED
    for bad in ("DONE", 9):
        with pytest.raises(InvalidInput, match="RUNNING"):
            values.as_status(bad)


class Broken:
    """What nothing can be made of."""

    def __float__(self) -> float:
        raise KeyError("no number")

    def __str__(self) -> str:
        raise KeyError("no text")

    __repr__ = __str__


def test_objects_whose_own_methods_fail_are_named_by_their_type() -> None:
    with pytest.raises(InvalidInput, match="metric 'm' must be a number, not one of type Broken"):
        values.as_float(Broken(), "m")
    with pytest.raises(InvalidInput, match="The step must be an integer, not one of type Broken"):
        values.as_integer(Broken(), "step")
    with pytest.raises(InvalidInput, match=r"params\.p has no text: KeyError in Broken"):
        values.as_param(Broken(), "p")


@pytest.mark.parametrize("given", [None, [("a", 1)], "a", 3])
def test_several_values_are_a_dict(given: object) -> None:
    with pytest.raises(InvalidInput, match=f"Several params are given as a dict .*{type(given).__name__}"):
        values.as_mapping(given, "params")
