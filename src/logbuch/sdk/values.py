"""What a caller hands in, checked and brought into the form that is sent. Wrong use is an error here, at once."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Mapping
from typing import Any

from logbuch import limits, settings
from logbuch.errors import InvalidInput
from logbuch.model import RunStatus, Tag

NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
NAME_TAG = "mlflow.runName"


def as_float(value: Any, key: str) -> float:
    """A metric's value: any number, or an array or tensor of one element. Text is no number, even if it looks so."""
    if not isinstance(value, (str, bytes, bytearray)):
        with contextlib.suppress(Exception):  # whatever the type's own conversion raises
            return _number(value)
    raise InvalidInput(f"The value of metric {limits.clip(key)!r} must be a number, not {shown(value)}.")


def _number(value: Any) -> float:
    item = getattr(value, "item", None)
    return float(item() if callable(item) else value)


def shown(value: Any) -> str:
    """A value as an error names it, with its type."""
    try:
        text = limits.clip(repr(value))
    except Exception:  # noqa: BLE001  the type's own fault
        text = "one"
    return f"{text} of type {type(value).__name__}"


def as_mapping(values: Any, what: str) -> Mapping[Any, Any]:
    """Several metrics, params or tags by their keys."""
    if not isinstance(values, Mapping):
        raise InvalidInput(f"Several {what} are given as a dict of keys and values, not as {shown(values)}.")
    return values


def as_integer(value: Any, field: str) -> int:
    """A step or a time in ms: a signed 64-bit integer; whole floats are taken too."""
    try:
        number = operator.index(value)
    except TypeError:
        number = _whole(value, field)
    return limits.check_integer(number, field)


def _whole(value: Any, field: str) -> int:
    with contextlib.suppress(Exception):  # whatever the type's own conversion raises
        number = _number(value)
        if number.is_integer() and not isinstance(value, (str, bytes, bytearray)):
            return int(number)
    raise InvalidInput(f"The {field} must be an integer, not {shown(value)}.")


def as_param(value: Any, key: str) -> str:
    """A param's value as text."""
    return _text(value, f"params.{key}", limits.PARAM_VALUE_LENGTH)


def as_tag(value: Any, key: str) -> str:
    """A run tag's value as text."""
    return _text(value, f"tags.{key}", limits.RUN_TAG_VALUE_LENGTH)


def as_experiment_tag(key: str, value: Any) -> Tag:
    check_key(key, "key")
    return Tag(key=key, value=_text(value, f"tags.{key}", limits.EXPERIMENT_TAG_VALUE_LENGTH))


def as_status(status: str | RunStatus | int) -> RunStatus:
    """A run's status from its name or its number in the protocol."""
    try:
        return RunStatus.from_wire(status) if isinstance(status, int) else RunStatus(status)
    except ValueError:
        raise InvalidInput(f"Invalid status {status!r}: it must be one of {', '.join(RunStatus)}.") from None


def check_key(key: Any, field: str) -> str:
    if not isinstance(key, str):
        raise InvalidInput(f"A {field} must be text, not {shown(key)}.")
    return limits.check_key(key, field)


def _text(value: Any, field: str, limit: int) -> str:
    try:
        text = value if type(value) is str else str(value)
    except Exception as error:
        raise InvalidInput(
            f"The value of {field} has no text: {type(error).__name__} in {type(value).__name__}."
        ) from error
    if len(text) > limit and settings.TRUNCATE_LONG_VALUES.flag():
        text = text[:limit]
    return limits.check_text(text, field, limit)
