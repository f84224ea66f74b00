"""What other libraries call their values, brought into names and values that a run takes."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

_KEY_LENGTH = 250
_NOT_ALLOWED = re.compile(r"[^/\w.\- :]")


def as_key(name: Any) -> str:
    """A metric's, param's or tag's key: ``ndcg@5`` becomes ``ndcg_at_5``, other strange signs ``_``."""
    key = _NOT_ALLOWED.sub("_", str(name).replace("@", "_at_"))
    key = posixpath.normpath(key).lstrip("/")
    return "_" if key in ("", ".", "..") or key.startswith("../") else key[:_KEY_LENGTH].rstrip("/")


def as_number(value: Any) -> float | None:
    """A number, also one in an array or tensor of one element; None for all else, such as text and flags."""
    if isinstance(value, (bool, str, bytes)):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    item = getattr(value, "item", None)
    try:
        return float(item()) if callable(item) else None
    except (TypeError, ValueError, RuntimeError):
        return None


def numbers(values: Mapping[Any, Any], prefix: str = "") -> dict[str, float]:
    """The numbers among values, by key."""
    found = ((as_key(f"{prefix}{name}"), as_number(value)) for name, value in values.items())
    return {key: number for key, number in found if number is not None}


def flat(values: Mapping[Any, Any], prefix: str = "") -> dict[str, str]:
    """Params of nested mappings: ``{"optim": {"lr": 0.1}}`` becomes ``optim/lr``. Lists are JSON."""
    return {as_key(name): text for name, text in _flat(values, prefix)}


def _flat(values: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", as_text(value)


def as_text(value: Any) -> str:
    """A param's value as text: collections as JSON, so that they can be read back."""
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, (list, tuple, Mapping)):
        return json.dumps(value, default=as_text)
    named = getattr(value, "__qualname__", None)  # a function's or class's name says more than its address
    return f"{getattr(value, '__module__', '')}.{named}" if callable(value) and isinstance(named, str) else str(value)
