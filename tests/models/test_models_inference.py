from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from logbuch.errors import InvalidInput
from logbuch.models import ModelSignature, infer_signature


def inputs(data: Any) -> Any:
    return json.loads(str(infer_signature(data).to_dict()["inputs"]))


# What MLflow 3.17.2 and 2.22.5 infer from the same values.
@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (["a", "b"], [{"type": "string", "required": True}]),
        ([1, 2], [{"type": "long", "required": True}]),
        ("x", [{"type": "string", "required": True}]),
        (3, [{"type": "long", "required": True}]),
        (
            {"a": "x", "b": [1, 2], "c": {"d": 1.5}},
            [
                {"type": "string", "name": "a", "required": True},
                {"type": "array", "items": {"type": "long"}, "name": "b", "required": True},
                {"type": "object", "properties": {"d": {"type": "double", "required": True}}, "name": "c",
                 "required": True},
            ],
        ),
        (
            [{"a": 1}, {"a": 2, "b": "x"}],
            [{"type": "long", "name": "a", "required": True}, {"type": "string", "name": "b", "required": False}],
        ),
        (np.zeros((2, 3)), [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]),
        (
            {"a": np.zeros((2, 3), "float32"), "b": np.zeros(2, "int64")},
            [
                {"name": "a", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}},
                {"name": "b", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}},
            ],
        ),
        (pd.Series([1, 2], name="q"), [{"type": "long", "name": "q", "required": True}]),
        (pd.Series(["a"]), [{"type": "string", "required": True}]),
        (
            pd.DataFrame({"a": [1.0, None], "b": ["x", None]}),
            [{"type": "double", "name": "a", "required": False}, {"type": "string", "name": "b", "required": False}],
        ),
    ],
)  # fmt: skip
def test_what_mlflow_infers(data: Any, wanted: Any) -> None:
    assert inputs(data) == wanted


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1], "int32"), "integer"),
        (np.array([1], "int8"), "integer"),
        (np.array([1], "uint16"), "integer"),
        (np.array([1], "uint32"), "long"),
        (np.array([1], "float32"), "float"),
        ([True], "boolean"),
        (pd.to_datetime(["2020-01-01"]), "datetime"),
        (["x"], "string"),
        ([b"x"], "binary"),
        (pd.Categorical(["x"]), "string"),
        ([[1, 2]], "array"),
        ([{"a": 1}], "object"),
    ],
)
def test_the_type_of_a_column(values: Any, kind: str) -> None:
    [column] = inputs(pd.DataFrame({"c": values}))
    assert (column["type"], column["name"], column["required"]) == (kind, "c", True)


def test_params_and_the_way_back() -> None:
    made = infer_signature(np.zeros((2, 3)), ["x"], {"t": 1.0, "k": [1, 2], "s": "x"})
    assert json.loads(str(made.to_dict()["params"])) == [
        {"name": "t", "default": 1.0, "shape": None, "type": "double"},
        {"name": "k", "default": [1, 2], "shape": [-1], "type": "long"},
        {"name": "s", "default": "x", "shape": None, "type": "string"},
    ]
    assert ModelSignature.from_dict(made.to_dict()) == made


@pytest.mark.parametrize("data", [[], [object()], [1, "x"], {"a": object()}])
def test_what_has_no_signature(data: Any) -> None:
    with pytest.raises(InvalidInput):
        infer_signature(data)


@pytest.mark.parametrize("text", ["{", "{}", '[{"type": "nonsense"}]', '[{"name": "a"}]', '[{"type": "tensor"}]'])
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(InvalidInput):
        ModelSignature.from_dict({"inputs": text})
