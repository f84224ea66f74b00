"""Reading requests: whatever arrives is a struct or an InvalidInput."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.errors import InvalidInput
from logbuch.model import RunStatus, ViewType
from logbuch.wire import decode
from logbuch.wire import mlflow as wire

REQUESTS = [
    value
    for value in vars(wire).values()
    if isinstance(value, type) and issubclass(value, wire.Body) and value not in (wire.Body, wire.OfRun)
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), request_type=st.sampled_from(REQUESTS))
def test_any_json_is_a_request_or_a_clear_error(data: st.DataObject, request_type: type[wire.Body]) -> None:
    fields = {name: data.draw(JSON) for name in request_type.__struct_fields__ if data.draw(st.booleans())}
    try:
        request = decode.from_json(request_type, json.dumps(fields).encode())
    except InvalidInput as refused:
        assert "parameter '" in refused.message
    else:
        assert isinstance(request, request_type)


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=60), request_type=st.sampled_from(REQUESTS))
def test_any_bytes_are_a_request_or_a_clear_error(body: bytes, request_type: type[wire.Body]) -> None:
    try:
        decode.from_json(request_type, body)
    except InvalidInput as refused:
        assert refused.message


def test_enumerations_by_name_and_by_number() -> None:
    for given_, expected in ((3, RunStatus.FINISHED), ("3", RunStatus.FINISHED), ("FAILED", RunStatus.FAILED)):
        request = decode.from_json(wire.UpdateRun, json.dumps({"run_id": "r", "status": given_}).encode())
        assert request.status is expected
    query = decode.from_query(
        wire.SearchExperiments, [("view_type", "ALL"), ("max_results", "5"), ("order_by", "name")]
    )
    assert (query.view_type, query.max_results, query.order_by) == (ViewType.ALL, 5, ["name"])


def test_of_a_repeated_key_a_list_takes_all_and_a_text_the_first() -> None:
    pairs = [("run_ids", "a"), ("run_ids", "b"), ("metric_key", "m"), ("metric_key", "n")]
    request = decode.from_query(wire.BulkInterval, pairs)
    assert (request.run_ids, request.metric_key) == (["a", "b"], "m")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_words(value: float) -> None:
    word = wire.number(value)
    assert isinstance(word, str)
    assert str(float(word)) == str(value)
    assert msgspec.json.encode(word)


POINT = {"key": "loss", "value": 0.5, "timestamp": 7, "step": 2}


@pytest.mark.parametrize(
    ("points", "kind", "linked"),
    [
        ([POINT], wire.RunBatch, 0),
        ([POINT, POINT | {"model_id": "m-1"}], wire.LogBatch, 1),
        ([POINT | {"value": "NaN"}], wire.LogBatch, 0),
        ([POINT | {"something": {"new": []}}], wire.LogBatch, 0),
    ],
)
def test_a_usual_batch_is_read_by_a_shorter_form(points: list[object], kind: type, linked: int) -> None:
    body = {"run_id": "r", "metrics": points, "params": [{"key": "lr", "value": "1"}], "later": 1}
    request = decode.from_json(wire.LogBatch, json.dumps(body).encode())
    assert type(request) is kind
    assert len(request.linked) == linked
    assert [(point.key, point.timestamp, point.step) for point in request.metrics] == [("loss", 7, 2)] * len(points)
    assert [param.value for param in request.params] == ["1"]


def test_what_no_form_of_a_batch_allows_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"parameter 'metrics\[0\].timestamp'"):
        decode.from_json(wire.LogBatch, json.dumps({"run_id": "r", "metrics": [POINT | {"timestamp": []}]}).encode())
