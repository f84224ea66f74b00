"""JSON and query strings to request structs: strictly and fast first, then leniently as MLflow reads them.

MLflow accepts numbers as strings, whole numbers with a fraction (cut off), the bare words NaN and Infinity, unknown
fields, and an unreadable body as an empty one. What breaks even those rules names the field.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from logbuch.errors import InvalidInput
from logbuch.limits import clip

Request = TypeVar("Request", bound=msgspec.Struct)


def from_json(type_: type[Request], body: bytes) -> Request:
    """A request from a JSON body."""
    usual = getattr(type_, "usual", None)
    if usual is not None:
        with suppress(msgspec.MsgspecError, RecursionError):  # what it is not, all that is allowed may be
            request: Request = _decoder(usual).decode(body)
            return _complete(request)
    try:
        request = _decoder(type_).decode(body)
    except msgspec.MsgspecError:
        return from_mapping(type_, _loosely(body))
    except RecursionError:
        raise InvalidInput("Invalid JSON body: it is nested too deeply.") from None
    return _complete(request)


def from_query(type_: type[Request], query: Sequence[tuple[str, str]]) -> Request:
    """A request from a query string: of a repeated key a list takes all values, anything else the first."""
    lists = {field.encode_name for field in _info(type_).fields if _is_list(field.type)}
    values: dict[str, Any] = {}
    for key, value in query:
        if key in lists:
            values.setdefault(key, []).append(value)
        else:
            values.setdefault(key, value)
    return from_mapping(type_, values)


def from_mapping(type_: type[Request], values: Mapping[str, Any]) -> Request:
    """A request from untyped values."""
    built: Request = _struct(_info(type_), values, "")
    return built


@functools.cache
def _decoder(type_: type[Request]) -> msgspec.json.Decoder[Request]:
    return msgspec.json.Decoder(type_)


@functools.cache
def _info(type_: type[msgspec.Struct]) -> inspect.StructType:
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)
    return info


def _loosely(body: bytes) -> Mapping[str, Any]:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _complete(request: Request) -> Request:
    """Required texts must not be empty."""
    for field in _required_texts(type(request)):
        if not getattr(request, field):
            raise missing(field)
    return request


@functools.cache
def _required_texts(type_: type[msgspec.Struct]) -> tuple[str, ...]:
    fields = _info(type_).fields
    return tuple(field.name for field in fields if field.required and isinstance(field.type, inspect.StrType))


def missing(field: str) -> InvalidInput:
    """MLflow's answer to an absent parameter."""
    return InvalidInput(
        f"Missing value for required parameter '{field}'. "
        "See the API docs for more information about request parameters."
    )


def _invalid(value: Any, field: str) -> InvalidInput:
    shown = clip(value if isinstance(value, str) else json.dumps(value, default=str))
    return InvalidInput(
        f"Invalid value {shown} for parameter '{field}' supplied: "
        f"Hint: Value was of type '{type(value).__name__}'. "
        "See the API docs for more information about request parameters."
    )


def _struct(info: inspect.StructType, values: Any, path: str) -> Any:
    if not isinstance(values, Mapping):
        raise _invalid(values, path.rstrip("."))
    built = {}
    for field in info.fields:
        name = f"{path}{field.encode_name}"
        value = values.get(field.encode_name)
        if value is not None:
            built[field.name] = _value(field.type, value, name)
        absent = field.name not in built or (isinstance(field.type, inspect.StrType) and not built[field.name])
        if field.required and absent:
            raise missing(name)
    return info.cls(**built)


def _value(info: inspect.Type, value: Any, name: str) -> Any:
    info = _plain(info)
    if isinstance(info, inspect.ListType):
        if not isinstance(value, list):
            raise _invalid(value, name)
        return [_value(info.item_type, item, f"{name}[{index}]") for index, item in enumerate(value)]
    if isinstance(info, inspect.StructType):
        return _struct(info, value, f"{name}.")
    return _scalar(info, value, name)


def _plain(info: inspect.Type) -> inspect.Type:
    """A type without its None."""
    if isinstance(info, inspect.UnionType):
        return next(part for part in info.types if not isinstance(part, inspect.NoneType))
    return info


def _is_list(info: inspect.Type) -> bool:
    return isinstance(_plain(info), inspect.ListType)


def _scalar(info: inspect.Type, value: Any, name: str) -> Any:
    try:
        if isinstance(info, inspect.StrType) and isinstance(value, str):
            return value
        if isinstance(info, inspect.IntType):
            return _whole(value)
        if isinstance(info, inspect.FloatType) and not isinstance(value, bool):
            return float(value)
        if isinstance(info, inspect.BoolType):
            return {"true": True, "false": False}[str(value).lower()]
        if isinstance(info, inspect.EnumType):
            return _member(info.cls, value)
    except (ValueError, TypeError, KeyError, OverflowError):
        pass
    raise _invalid(value, name)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    return int(value)


def _member(type_: type[Enum], value: Any) -> Enum:
    """An enumeration by its name or its number."""
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        return type_[value]
    if hasattr(type_, "from_wire"):
        return type_.from_wire(int(value))  # type: ignore[no-any-return]
    return type_(int(value))
