"""A signature from examples, by MLflow's rules."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models.schema import ColumnSpec, ModelSignature, ParamSpec, Spec, TensorSpec

_KINDS = {"b": "boolean", "M": "datetime", "U": "string", "S": "binary"}


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None
) -> ModelSignature:
    """The signature of examples: a DataFrame or Series, an array, a dict of arrays, a list, a text or a number; of
    ``params`` the values are the defaults. ``InvalidInput`` names what has no type in MLflow's schema."""
    return ModelSignature(
        None if model_input is None else specs(model_input),
        None if model_output is None else specs(model_output),
        None if not params else tuple(_param(name, value) for name, value in params.items()),
    )


def specs(data: Any) -> tuple[Spec, ...]:
    """The columns or tensors of an example."""
    if _is(data, "pandas", "DataFrame"):
        return tuple(_column(data[name], str(name)) for name in data.columns)
    if _is(data, "pandas", "Series"):
        return (_column(data, None if data.name is None else str(data.name)),)
    if _array(data) is not None:
        return (_tensor(_array(data), None),)
    if isinstance(data, Mapping):
        return _of_mapping(data)
    if isinstance(data, (list, tuple)):
        return _of_list(data)
    return (_of_value(data),)


def _of_mapping(data: Mapping[Any, Any]) -> tuple[Spec, ...]:
    arrays = {str(key): _array(value) for key, value in data.items()}
    if arrays and all(array is not None for array in arrays.values()):
        return tuple(_tensor(array, name) for name, array in arrays.items())
    return tuple(_named(value, str(key)) for key, value in data.items())


def _of_list(data: Sequence[Any]) -> tuple[Spec, ...]:
    if not data:
        raise InvalidInput("An empty list has no signature: give an example with at least one value.")
    if all(isinstance(one, Mapping) for one in data):
        keys = dict.fromkeys(str(key) for one in data for key in one)
        return tuple(_of_records([one.get(key) for one in data], key) for key in keys)
    return (_of_records(data, None),)


def _of_records(values: Sequence[Any], name: str | None) -> ColumnSpec:
    kind, detail, required = _common(values)
    return ColumnSpec(kind, name, required, detail)


def _of_value(value: Any) -> ColumnSpec:
    return _named(value, None)


def _named(value: Any, name: str | None) -> ColumnSpec:
    kind, detail = _type(value)
    return ColumnSpec(kind, name, value is not None, detail)


def _column(series: Any, name: str | None) -> ColumnSpec:
    kind = getattr(series.dtype, "kind", "O")
    known = _KINDS.get(kind) or _number(kind, getattr(series.dtype, "itemsize", 8))
    missing = bool(series.isna().any()) if known not in ("boolean",) else False
    if known:
        return ColumnSpec(known, name, not missing)
    values = list(series)
    found, detail, required = _common([None if _missing(value) else value for value in values])
    return ColumnSpec(found, name, required, detail)


def _number(kind: str, size: int) -> str | None:
    if kind in "iu":
        small = 4 if kind == "i" else 2
        return "integer" if size <= small else "long"
    if kind == "f":
        return "float" if size <= 4 else "double"
    return None


def _missing(value: Any) -> bool:
    return value is None or (not isinstance(value, (list, tuple, dict, str, bytes)) and bool(_equal_nothing(value)))


def _equal_nothing(value: Any) -> bool:
    # NaN, NaT and NA: none of them equals itself; an array's comparison has a shape.
    if getattr(value, "shape", ()) != ():
        return False
    try:
        return not bool(value == value)
    except TypeError:
        return True


def _common(values: Sequence[Any]) -> tuple[str, Mapping[str, Any] | None, bool]:
    """The type that all values have, its detail, and whether none is missing."""
    present = [value for value in values if value is not None]
    required = len(present) == len(values)
    if not present:
        return "any", None, False
    if all(isinstance(value, Mapping) for value in present):
        return "object", {"properties": _properties(present)}, required
    kinds = [_type(value) for value in present]
    if any(kind != kinds[0] for kind in kinds):
        numeric = {kind for kind, _ in kinds}
        if numeric <= {"long", "double", "integer", "float"}:
            return "double", None, required
        raise InvalidInput(f"Values of several types have no signature: {sorted(numeric)}.")
    return kinds[0][0], kinds[0][1], required


def _properties(values: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
    keys = sorted({str(key) for value in values for key in value})
    found = {}
    for key in keys:
        kind, detail, required = _common([value.get(key) for value in values])
        found[key] = {"type": kind, **(detail or {}), "required": required}
    return found


def _type(value: Any) -> tuple[str, Mapping[str, Any] | None]:
    if value is None:
        return "any", None
    if isinstance(value, bool):
        return "boolean", None
    for python, name in ((str, "string"), (bytes, "binary"), (int, "long"), (float, "double")):
        if isinstance(value, python):
            return name, None
    if isinstance(value, (datetime.datetime, datetime.date)):
        return "datetime", None
    if isinstance(value, Mapping):
        return "object", {"properties": _properties([value])}
    if hasattr(value, "tolist"):
        return _of_array(value)
    if isinstance(value, (list, tuple)):
        kind, detail, _ = _common(list(value))
        return "array", {"items": {"type": kind, **(detail or {})}}
    raise InvalidInput(f"A value of type {type(value).__name__} has no type in a signature.")


def _of_array(value: Any) -> tuple[str, Mapping[str, Any] | None]:
    """A scalar of NumPy, or an array as a column's value."""
    kind = _KINDS.get(value.dtype.kind) or _number(value.dtype.kind, value.dtype.itemsize)
    if getattr(value, "ndim", 0) == 0 or kind is None:
        return (kind, None) if kind else _type(value.tolist())
    found: Mapping[str, Any] = {"type": kind}
    for _ in range(value.ndim - 1):
        found = {"type": "array", "items": found}
    return "array", {"items": found}


def _tensor(array: Any, name: str | None) -> TensorSpec:
    # The first axis is the batch.
    kind = "str" if array.dtype.kind == "U" else "bytes" if array.dtype.kind == "S" else str(array.dtype)
    return TensorSpec(kind, (-1, *array.shape[1:]), name)


def _array(data: Any) -> Any:
    """An array of NumPy, or a tensor of PyTorch as one; None for anything else."""
    if _is(data, "torch", "Tensor", "Parameter"):
        data = data.detach().cpu().numpy()
    if _is(data, "scipy", "csr_matrix", "csc_matrix", "csr_array", "csc_array"):
        return data
    return data if _is(data, "numpy", "ndarray") and data.ndim > 0 else None


def _is(data: Any, package: str, *names: str) -> bool:
    """Whether an object is of a library's class, without importing the library."""
    return any(one.__module__.split(".")[0] == package and one.__name__ in names for one in type(data).__mro__)


def _param(name: str, value: Any) -> ParamSpec:
    if isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) == 1:
        values = list(value.tolist() if hasattr(value, "tolist") else value)
        kind, _, required = _common(values)
        if not values or not required or kind in ("array", "object", "any"):
            raise InvalidInput(f"Invalid default of param {name!r}: a list of values of one simple type is wanted.")
        return ParamSpec(name, kind, values, (-1,))
    kind, _ = _type(value)
    if kind in ("array", "object", "any", "binary"):
        raise InvalidInput(f"Invalid default {value!r} of param {name!r}: a number, text, boolean or time is wanted.")
    plain = value.tolist() if hasattr(value, "tolist") else value
    return ParamSpec(name, kind, plain.isoformat() if kind == "datetime" else plain)
