"""Data frames that fit a model's columns, from what a request holds."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from logbuch.errors import BadRequest, InvalidInput
from logbuch.serving import nested
from logbuch.serving.scalars import DTYPES, Unfit
from logbuch.serving.schema import Column, Signature

_PLAIN = {"double": "iuf", "long": "i"}
"""Kinds of arrays that become a scalar type without a look at each value."""
_SPLIT_KEYS = {"columns", "data", "index"}


def from_split(value: Any) -> pd.DataFrame:
    """The frame of ``{"columns": [names], "data": [rows], "index": [labels]}``."""
    if not isinstance(value, dict):
        raise BadRequest(f"dataframe_split must be an object, not {_kind_of(value)}.")
    if "data" not in value or value.keys() - _SPLIT_KEYS:
        given = ", ".join(map(repr, value)) or "none"
        raise BadRequest(f"dataframe_split must have 'data', and may have 'columns' and 'index'. It has {given}.")
    if not isinstance(value["data"], list):
        raise BadRequest(f"'data' of dataframe_split must be a list of rows, not {_kind_of(value['data'])}.")
    return _frame("dataframe_split", value["data"], columns=value.get("columns"), index=value.get("index"))


def from_records(value: Any) -> pd.DataFrame:
    """The frame of ``[{"column": value, …}, …]``."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise BadRequest("dataframe_records must be a list of objects, one a row.")
    return _frame("dataframe_records", value)


def from_csv(body: bytes, signature: Signature) -> pd.DataFrame:
    """The frame of a CSV text with a line of column names. Columns of texts stay texts, also if they look otherwise."""
    texts = {
        column.name: object for column in signature.columns if column.kind.name in ("string", "binary", "datetime")
    }
    try:
        frame = pd.read_csv(io.BytesIO(body), dtype=texts, encoding="utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except (ValueError, TypeError, OverflowError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadRequest(f"The body is no CSV with a line of column names: {error}") from None
    for name in set(texts) & set(frame.columns):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame


def from_columns(value: Mapping[str, Any]) -> pd.DataFrame:
    """The frame of ``{"column": [values], …}``; an object of single values is one row."""
    lists = {name: values for name, values in value.items() if isinstance(values, list)}
    if not lists:
        return _frame("inputs", [value])
    lengths = {name: len(values) for name, values in lists.items()}
    if len(lists) < len(value) or len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name!r}: {lengths.get(name, 'a single value')}" for name in value)
        raise InvalidInput(f"The columns of inputs have not the same length: {shown}.")
    return _frame("inputs", {name: pd.Series(values, dtype=object) for name, values in lists.items()})


def fit(frame: pd.DataFrame, signature: Signature) -> pd.DataFrame:
    """The frame with the model's columns in its order and types; InvalidInput names the column that does not fit.

    Columns that the model does not know are left out, optional ones may be absent.
    """
    found: dict[Any, pd.Series[Any]] = {}
    for place, column in enumerate(signature.columns):
        label = column.name if column.name is not None else _label(frame, place, len(signature.columns))
        if label not in frame.columns:
            if column.required:
                raise _absent(frame, signature)
            continue
        values = frame[label]
        if isinstance(values, pd.DataFrame):
            raise InvalidInput(f"Column {label!r} is there more than once.")
        found[label] = _cast(column, label, values)
    return pd.DataFrame(found, index=frame.index)


def _label(frame: pd.DataFrame, place: int, count: int) -> Any:
    if len(frame.columns) < count:
        raise InvalidInput(f"The model takes {count} columns, the input has {len(frame.columns)}.")
    return frame.columns[place]


def _absent(frame: pd.DataFrame, signature: Signature) -> InvalidInput:
    names = [column.name for column in signature.columns if column.required and column.name not in frame.columns]
    known = {column.name for column in signature.columns}
    others = [str(name) for name in frame.columns if name not in known][:20]
    hint = f" The input has others: {', '.join(map(repr, others))}." if others else ""
    return InvalidInput(f"The model needs {_listed(names)}, which the input does not have.{hint}")


def _listed(names: list[str | None]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))}"


def _cast(column: Column, label: Any, values: pd.Series[Any]) -> pd.Series[Any]:
    dtype = DTYPES.get(column.kind.name)
    if values.dtype == dtype and dtype != np.dtype(object):
        return values
    if column.kind.name in _PLAIN:
        plain = _numbers(values)
        if plain is not None and plain.dtype.kind in _PLAIN[column.kind.name]:
            return pd.Series(plain, index=values.index, dtype=dtype)
    converted = [_value(column, label, row, value) for row, value in enumerate(values.astype(object))]
    mixed = dtype is None or any(value is None for value in converted)
    return pd.Series(converted, index=values.index, dtype=object if mixed else dtype)


def _numbers(values: pd.Series[Any]) -> np.ndarray[Any, Any] | None:
    """A column of nothing but numbers as an array, which is converted at once; None for others."""
    try:
        return np.array(values.tolist())
    except (ValueError, OverflowError):
        return None


def _value(column: Column, label: Any, row: int, value: Any) -> Any:
    try:
        return nested.enforce(column.kind, value, required=column.required)
    except Unfit as error:
        shown = repr(label) if isinstance(label, str) else str(label)
        raise InvalidInput(f"Column {shown}, row {row}: {error}.") from None


def _frame(what: str, data: Any, **more: Any) -> pd.DataFrame:
    try:
        return pd.DataFrame(data, dtype=object, **more)  # as sent: numbers keep all their digits
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, AssertionError) as error:
        raise BadRequest(f"{what} holds no data frame: {error}") from None


def _kind_of(value: Any) -> str:
    return {list: "a list", dict: "an object", str: "a text", type(None): "null", bool: "a boolean"}.get(
        type(value), "a number"
    )
