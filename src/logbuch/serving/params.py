"""The params of a prediction, as the signature declares them."""

from __future__ import annotations

from typing import Any

from logbuch.errors import InvalidInput
from logbuch.serving import nested
from logbuch.serving.scalars import Unfit, shown
from logbuch.serving.schema import Param, Signature


def fit(value: Any, signature: Signature) -> dict[str, Any]:
    """Every declared param with its value or default. Unknown ones are left out, as MLflow does; InvalidInput names
    the one that does not fit."""
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise InvalidInput(f"params must be an object, not {shown(value)}.")
    return {param.name: _value(param, value) for param in signature.params}


def _value(param: Param, given: dict[str, Any]) -> Any:
    value = given.get(param.name)
    if value is None:
        return param.default
    try:
        if not param.listed:
            return nested.enforce(param.kind, value)
        if not isinstance(value, list):
            raise Unfit(f"{shown(value)} is no list")
        return [nested.enforce(param.kind, item, at=f"[{place}]") for place, item in enumerate(value)]
    except Unfit as error:
        raise InvalidInput(f"Param {param.name!r}: {error}.") from None
