"""Values of a column's type, also of the nested ones; errors say where in the value they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from logbuch.serving.scalars import Unfit, convert, missing, shown
from logbuch.serving.schema import Kind


def enforce(kind: Kind, value: Any, *, required: bool = True, at: str = "") -> Any:
    """The value as one of this type. ``at`` is its place within the column, such as ``.owner[2]``."""
    if not required and not isinstance(value, list | dict | np.ndarray) and missing(value):
        return None
    if kind.name == "any":
        return value
    if kind.name == "array":
        return _array(kind, value, at)
    if kind.name in ("object", "map"):
        return _object(kind, value, at) if kind.name == "object" else _map(kind, value, at)
    try:
        return convert(kind.name, value)
    except Unfit as error:
        raise Unfit(f"{f'at {at}: ' if at else ''}{error}") from None


def _array(kind: Kind, value: Any, at: str) -> list[Any]:
    if not isinstance(value, list | np.ndarray):
        raise Unfit(f"{f'at {at}: ' if at else ''}{shown(value)} is no array")
    assert kind.items is not None
    return [enforce(kind.items, item, at=f"{at}[{place}]") for place, item in enumerate(value)]


def _object(kind: Kind, value: Any, at: str) -> dict[str, Any]:
    _need_dictionary(value, at, "object")
    absent = [name for name, (_, required) in kind.properties.items() if required and name not in value]
    unknown = [name for name in value if name not in kind.properties]
    if absent or unknown:
        which = f"misses {', '.join(map(repr, absent))}" if absent else f"does not know {', '.join(map(repr, unknown))}"
        raise Unfit(f"{f'at {at}: ' if at else ''}the object {which}")
    known = kind.properties
    return {
        name: enforce(known[name][0], item, required=known[name][1], at=f"{at}.{name}") for name, item in value.items()
    }


def _map(kind: Kind, value: Any, at: str) -> dict[str, Any]:
    _need_dictionary(value, at, "map")
    assert kind.items is not None
    return {name: enforce(kind.items, item, at=f"{at}.{name}") for name, item in value.items()}


def _need_dictionary(value: Any, at: str, what: str) -> None:
    if not isinstance(value, dict):
        raise Unfit(f"{f'at {at}: ' if at else ''}{shown(value)} is no {what}")
