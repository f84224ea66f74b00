"""Signatures: what a model takes and gives, in the JSON that MLflow keeps in the MLmodel file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logbuch.errors import InvalidInput

COLUMN_TYPES = (
    "boolean",
    "integer",
    "long",
    "float",
    "double",
    "string",
    "binary",
    "datetime",
    "array",
    "object",
    "map",
    "any",
)


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column. Without a name it is the only one, or one of a list. ``detail`` is what arrays, objects and maps hold
    (``items``, ``properties``, ``values``), as in the JSON."""

    type: str
    name: str | None = None
    required: bool = True
    detail: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": self.type, **(self.detail or {})}
        if self.name is not None:
            found["name"] = self.name
        return found | {"required": self.required}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An array: NumPy's name of its type, and its shape, where -1 stands for any size."""

    dtype: str
    shape: tuple[int, ...]
    name: str | None = None

    def as_dict(self) -> dict[str, Any]:
        named = {} if self.name is None else {"name": self.name}
        return {**named, "type": "tensor", "tensor-spec": {"dtype": self.dtype, "shape": list(self.shape)}}


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A parameter of ``predict``. ``shape`` is None for a single value, (-1,) for a list."""

    name: str
    type: str
    default: Any
    shape: tuple[int, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        shape = list(self.shape) if self.shape is not None else None
        return {"name": self.name, "default": self.default, "shape": shape, "type": self.type}


Spec = ColumnSpec | TensorSpec


@dataclass(frozen=True, slots=True)
class ModelSignature:
    """What ``predict`` takes and gives; None where it was not said."""

    inputs: tuple[Spec, ...] | None = None
    outputs: tuple[Spec, ...] | None = None
    params: tuple[ParamSpec, ...] | None = None

    def to_dict(self) -> dict[str, str | None]:
        """As the MLmodel file holds it: a JSON text a part."""
        return {
            "inputs": _text(self.inputs),
            "outputs": _text(self.outputs),
            "params": _text(self.params),
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> ModelSignature:
        """From the MLmodel file; ``InvalidInput`` names what cannot be read."""
        inputs, outputs, params = (_parsed(found.get(part), part) for part in ("inputs", "outputs", "params"))
        try:
            return cls(
                None if inputs is None else tuple(_spec(one) for one in inputs),
                None if outputs is None else tuple(_spec(one) for one in outputs),
                None if params is None else tuple(_param(one) for one in params),
            )
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidInput(f"The signature cannot be read: {error}") from None


def _text(specs: Sequence[ColumnSpec | TensorSpec | ParamSpec] | None) -> str | None:
    return None if specs is None else json.dumps([spec.as_dict() for spec in specs])


def _parsed(text: Any, part: str) -> list[Mapping[str, Any]] | None:
    if text is None:
        return None
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) and "type" in one for one in found):
        raise InvalidInput(f"The signature's {part} cannot be read: a JSON list of objects with a type is wanted.")
    return found


def _spec(found: Mapping[str, Any]) -> Spec:
    name = found.get("name")
    if found["type"] == "tensor":
        tensor = found.get("tensor-spec")
        if not isinstance(tensor, dict) or not isinstance(tensor.get("shape"), list):
            raise InvalidInput(f"The signature's tensor {name!r} has no tensor-spec with dtype and shape.")
        return TensorSpec(str(tensor.get("dtype")), tuple(int(size) for size in tensor["shape"]), name)
    if found["type"] not in COLUMN_TYPES:
        raise InvalidInput(f"The signature's column {name!r} has the unknown type {found['type']!r}.")
    # MLflow 2 before 2.0 wrote `optional`.
    required = bool(found.get("required", not found.get("optional", False)))
    detail = {key: found[key] for key in ("items", "properties", "values") if key in found}
    return ColumnSpec(found["type"], name, required, detail or None)


def _param(found: Mapping[str, Any]) -> ParamSpec:
    shape = found.get("shape")
    return ParamSpec(
        str(found.get("name")), found["type"], found.get("default"), None if shape is None else tuple(shape)
    )
