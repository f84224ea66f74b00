"""What a request to the scoring server may hold, and what is said when it does not fit."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.errors import InvalidInput, LogbuchError
from logbuch.serving import requests, schema
from support.scoring import COLUMNS, NAMED_TENSORS, PARAMS, TENSOR, TEXTS

ROW = {"a": 1, "b": 1.5, "s": "x"}
SIGNATURE = schema.read(COLUMNS, PARAMS)


def parse(value: Any, signature: schema.Signature = SIGNATURE, content_type: str | None = requests.JSON) -> Any:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return requests.parse(body, content_type, signature)


FORMS = [
    {"dataframe_split": {"columns": ["a", "b", "s"], "data": [[1, 1.5, "x"], [2, 2, "y"]]}},
    {"dataframe_records": [ROW, {"a": 2, "b": 2, "s": "y"}]},
    {"instances": [ROW, {"a": 2, "b": 2, "s": "y"}]},
    {"inputs": [ROW, {"a": 2, "b": 2, "s": "y"}]},
    {"inputs": {"a": [1, 2], "b": [1.5, 2], "s": ["x", "y"]}},
    {"dataframe_split": {"columns": ["s", "extra", "b", "a"], "data": [["x", 0, 1.5, 1.0], ["y", 0, "2", "2"]]}},
]


@pytest.mark.parametrize("body", FORMS)
def test_every_form_of_a_frame_is_the_same_frame(body: Any) -> None:
    data = parse(body).data
    pd.testing.assert_frame_equal(
        data, pd.DataFrame({"a": [1, 2], "b": [1.5, 2.0], "s": pd.Series(["x", "y"], dtype=object)})
    )


def test_csv() -> None:
    data = parse(b"a,b,s\n1,2.5,007\n2,,\n", content_type="text/csv; charset=UTF-8").data
    assert data["a"].tolist() == [1, 2]
    assert data["b"].isna().tolist() == [False, True]
    assert data["s"].tolist() == ["007", None]


def test_types_of_columns() -> None:
    row = ROW | {"flag": True, "day": "2026-01-02T03:04:05Z", "small": 7, "raw": "aGk=", "tags": ["p", "q"]}
    data = parse({"dataframe_records": [row]}).data
    assert str(data["small"].dtype) == "int32"
    assert str(data["flag"].dtype) == "bool"
    assert str(data["day"].dtype) == "datetime64[ns]"
    assert data["day"][0] == pd.Timestamp("2026-01-02T03:04:05")
    assert data["raw"][0] == b"hi"
    assert data["tags"][0] == ["p", "q"]


@pytest.mark.parametrize(
    ("changed", "column", "value"),
    [
        ({"a": 1.5}, "a", "1.5 is no long"),
        ({"a": "x"}, "a", "'x' is no long"),
        ({"a": None}, "a", "None is no long"),
        ({"a": 2**63}, "a", "9223372036854775808 is no long"),
        ({"b": "much"}, "b", "'much' is no double"),
        ({"b": [1]}, "b", "[1] is no double"),
        ({"s": 5}, "s", "5 is no string"),
        ({"flag": "maybe"}, "flag", "'maybe' is no boolean"),
        ({"day": "soon"}, "day", "'soon' is no datetime"),
        ({"small": 2**40}, "small", "1099511627776 is no integer"),
        ({"raw": "%%%"}, "raw", "'%%%' is no binary"),
        ({"tags": "p"}, "tags", "'p' is no array"),
        ({"tags": ["p", 2]}, "tags", "at [1]: 2 is no string"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_column(changed: Any, column: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse({"dataframe_records": [ROW, ROW | changed]})
    assert caught.value.message == f"Column {column!r}, row 1: {value}."


def test_missing_columns_are_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse({"dataframe_records": [{"a": 1, "B": 2}]})
    assert caught.value.message == (
        "The model needs columns 'b', 's', which the input does not have. The input has others: 'B'."
    )


def test_optional_columns_may_be_absent_or_null() -> None:
    assert "small" not in parse({"dataframe_records": [ROW]}).data
    data = parse({"dataframe_records": [ROW | {"small": None, "tags": None}, ROW | {"small": 3}]}).data
    assert data["small"].tolist() == [None, 3]


def test_params() -> None:
    assert parse({"dataframe_records": [ROW]}).params == {"factor": 1.0}
    assert parse({"dataframe_records": [ROW], "params": {"factor": 3, "unknown": 1}}).params == {"factor": 3.0}
    with pytest.raises(InvalidInput, match=r"Param 'factor': 'x' is no double\."):
        parse({"dataframe_records": [ROW], "params": {"factor": "x"}})
    with pytest.raises(InvalidInput, match="params must be an object"):
        parse({"dataframe_records": [ROW], "params": [1]})


def test_tensors() -> None:
    one = schema.read(TENSOR, None)
    for body in ({"inputs": [[1, 2, 3]]}, {"instances": [[1, 2, 3]]}, {"dataframe_split": {"data": [[1, 2, 3]]}}):
        data = parse(body, one).data
        assert data.dtype == np.float32
        assert data.tolist() == [[1, 2, 3]]
    several = schema.read(NAMED_TENSORS, None)
    for body in ({"inputs": {"x": [[1, 2]], "y": [0.5]}}, {"instances": [{"x": [1, 2], "y": 0.5}]}):
        data = parse(body, several).data
        assert data["x"].tolist() == [[1, 2]]
        assert data["y"].tolist() == [0.5]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"inputs": [[1, 2]]}, "has the shape (1, 2), the model takes (any, 3)"),
        ({"inputs": [[1], [1, 2]]}, "is no array of float32"),
        ({"inputs": [["x", 2, 3]]}, "no numbers"),
        ({"inputs": {"x": [[1, 2, 3]]}}, "one array without a name"),
        ({"inputs": [[1e300, 2, 3]]}, "is no array of float32"),
    ],
)
def test_arrays_that_do_not_fit(body: Any, wrong: str) -> None:
    with pytest.raises(LogbuchError) as caught:
        parse(body, schema.read(TENSOR, None))
    assert wrong in caught.value.message
    assert caught.value.http_status == 400


def test_a_named_array_that_does_not_fit_is_named() -> None:
    several = schema.read(NAMED_TENSORS, None)
    with pytest.raises(InvalidInput, match=r"Input 'x' holds numbers that are not whole"):
        parse({"inputs": {"x": [[1.5, 2]], "y": [0.5]}}, several)
    with pytest.raises(InvalidInput, match=r"needs 'y'"):
        parse({"inputs": {"x": [[1, 2]]}}, several)


def test_texts() -> None:
    texts = schema.read(TEXTS, PARAMS)
    assert parse({"inputs": ["one", "two"]}, texts).data[0].tolist() == ["one", "two"]
    assert parse({"instances": ["one"]}, texts).data[0].tolist() == ["one"]
    assert parse({"inputs": "one"}, texts).data[0].tolist() == ["one"]
    asked = parse({"prompt": "one", "factor": 2}, texts)
    assert asked.data[0].tolist() == ["one"]
    assert asked.params == {"factor": 2.0}
    assert not asked.wrapped


def test_a_column_without_a_name_is_named_by_its_number() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse({"inputs": ["one", 5]}, schema.read(TEXTS, None))
    assert caught.value.message == "Column 0, row 1: 5 is no string."


def test_without_a_signature_data_pass_as_they_came() -> None:
    free = schema.Signature()
    assert parse({"inputs": [[1, 2], [3, 4]]}, free).data.tolist() == [[1, 2], [3, 4]]
    assert parse({"inputs": {"x": [1]}}, free).data["x"].tolist() == [1]
    assert list(parse({"dataframe_records": [{"q": 1}]}, free).data.columns) == ["q"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff", b"[1]", b"3", b"{}", b"[" * 100_000,
        {"inputs": [], "instances": []},
        {"dataframe_split": [1]}, {"dataframe_split": {"columns": ["a"]}}, {"dataframe_split": {"data": 5}},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}, {"dataframe_split": {"data": [[1]], "more": 1}},
        {"dataframe_split": {"columns": ["a", "a", "b", "s"], "data": [[1, 1, 1, "x"]]}},
        {"dataframe_records": {"a": 1}}, {"dataframe_records": [1]}, {"dataframe_records": []},
        {"inputs": {"a": [1, 2], "b": [1.0], "s": ["x"]}}, {"inputs": 5}, {"inputs": None}, {"inputs": {}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_the_clients_fault(body: Any) -> None:
    with pytest.raises(LogbuchError) as caught:
        parse(body)
    assert 400 <= caught.value.http_status < 500


@pytest.mark.parametrize("content_type", ["application/xml", "application/json; charset=latin-1", "text/csv; x=1"])
def test_other_media_types_are_refused(content_type: str) -> None:
    with pytest.raises(requests.UnknownMediaType):
        parse({"inputs": []}, content_type=content_type)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["1", "x", "aGk="]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["a", "b", "s", "day", "raw", "tags", "x", "y", "data", "columns", "index"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from([*requests.FORMATS, "params", "prompt", "messages"]), JSON, max_size=3)
SIGNATURES = [SIGNATURE, schema.read(TENSOR, None), schema.read(NAMED_TENSORS, PARAMS), schema.read(TEXTS, None),
              schema.Signature()]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(BODIES, st.sampled_from(SIGNATURES))
def test_whatever_is_sent_is_read_or_refused(body: Any, signature: schema.Signature) -> None:
    try:
        parse(body, signature)
    except LogbuchError as error:
        assert 400 <= error.http_status < 500
        assert error.message


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='abs,\n"0123.\x00é', max_size=60).map(str.encode))
def test_whatever_csv_is_sent_is_read_or_refused(body: bytes) -> None:
    for signature in SIGNATURES:
        try:
            requests.parse(body, requests.CSV, signature)
        except LogbuchError as error:
            assert 400 <= error.http_status < 500
