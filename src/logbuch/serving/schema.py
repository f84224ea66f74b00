"""What a model's signature asks for, read from the form in which MLmodel files keep it.

A column is ``{"name": …, "type": "long", "required": true}``; its type is a scalar's name, or ``array`` with ``items``,
``object`` with ``properties``, ``map`` with ``values``, ``any``. A tensor is ``{"type": "tensor", "tensor-spec":
{"dtype": "float32", "shape": [-1, 3]}}``. A param is ``{"name": …, "type": …, "default": …, "shape": null}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from logbuch.errors import InvalidInput
from logbuch.serving.scalars import DTYPES


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type: a scalar's name, or ``array``, ``object``, ``map`` or ``any`` with what is inside."""

    name: str
    items: Kind | None = None
    properties: Mapping[str, tuple[Kind, bool]] = field(default_factory=dict)
    """Of an object: each property's type, and whether it is required."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str | None
    kind: Kind
    required: bool = True


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array; -1 in the shape stands for any length."""

    name: str | None
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    kind: Kind
    default: Any = None
    listed: bool = False
    """Whether the value is a list of such values."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes. With neither columns nor tensors anything is passed on as it came."""

    columns: tuple[Column, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    params: tuple[Param, ...] = ()
    declared: bool = False
    """Whether the model has a signature: one without params takes none."""

    @property
    def named(self) -> bool:
        names = [column.name for column in self.columns] + [tensor.name for tensor in self.tensors]
        return None not in names

    @property
    def texts(self) -> bool:
        """Whether the input is a list of texts: one column of strings, as language models have it."""
        return len(self.columns) == 1 and self.columns[0].kind.name == "string"


def read(inputs: Sequence[Mapping[str, Any]] | None, params: Sequence[Mapping[str, Any]] | None) -> Signature:
    """The signature from its kept form; InvalidInput when the MLmodel file holds something else."""
    try:
        tensors = tuple(_tensor(spec) for spec in inputs or () if spec["type"] == "tensor")
        columns = tuple(_column(spec) for spec in inputs or () if spec["type"] != "tensor")
        return Signature(columns, tensors, tuple(_param(spec) for spec in params or ()), declared=inputs is not None)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidInput(f"The model's signature cannot be read: {error!r}") from None


def _tensor(spec: Mapping[str, Any]) -> Tensor:
    inner = spec["tensor-spec"]
    return Tensor(spec.get("name"), np.dtype(inner["dtype"]), tuple(int(length) for length in inner["shape"]))


def _column(spec: Mapping[str, Any]) -> Column:
    return Column(spec.get("name"), _kind(spec), bool(spec.get("required", not spec.get("optional", False))))


def _param(spec: Mapping[str, Any]) -> Param:
    listed = spec.get("shape") is not None and spec.get("type") != "object"
    return Param(spec["name"], _kind(spec), spec.get("default"), listed)


def _kind(spec: Mapping[str, Any]) -> Kind:
    name = spec["type"]
    if name == "array":
        return Kind(name, _kind(spec["items"]))
    if name == "map":
        return Kind(name, _kind(spec["values"]))
    if name == "object":
        properties = spec["properties"].items()
        return Kind(name, properties={key: (_kind(inner), inner.get("required", True)) for key, inner in properties})
    if name not in DTYPES and name != "any":
        raise ValueError(f"unknown type {name!r}")
    return Kind(name)
