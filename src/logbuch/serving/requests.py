"""What a request to ``/invocations`` asks: the data that the model gets, and the params.

MLflow's scoring protocol: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from logbuch.errors import BadRequest, InvalidInput, LogbuchError
from logbuch.serving import frames, params, tensors
from logbuch.serving.scalars import shown
from logbuch.serving.schema import Signature

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_UNWRAPPED = ("messages", "prompt", "input")
"""A body with one of these is one language model request: its answer stands without ``predictions`` around it."""
CSV, JSON = "text/csv", "application/json"


class UnknownMediaType(LogbuchError):
    """A body in a form that is not read here."""

    error_code = "BAD_REQUEST"
    http_status = 415


@dataclass(frozen=True, slots=True)
class Asked:
    """One prediction that is wanted."""

    data: Any
    params: dict[str, Any]
    wrapped: bool = True


def parse(body: bytes, content_type: str | None, signature: Signature) -> Asked:
    """What is asked; an error of the 400s says what does not fit."""
    media = _media_type(content_type)
    if media == CSV:
        return Asked(_fit_frame(frames.from_csv(body, signature), signature), params.fit(None, signature))
    value = _json(body)
    if not isinstance(value, dict):
        raise BadRequest(f"The body must be a JSON object with one of {', '.join(FORMATS)}; it is {shown(value)}.")
    if any(key in value for key in _UNWRAPPED) and not any(key in value for key in FORMATS):
        return _unwrapped(value, signature)
    given = [name for name in FORMATS if name in value]
    if len(given) != 1:
        names = ", ".join(shown(name) for name in list(value)[:20]) or "none"
        raise BadRequest(f"The body must have exactly one of {', '.join(FORMATS)}; it has {names}.")
    return Asked(_data(given[0], value[given[0]], signature), params.fit(value.get("params"), signature))


def _media_type(content_type: str | None) -> str:
    media, *parameters = (part.strip() for part in (content_type or JSON).split(";"))
    media = media.lower()
    if media not in (CSV, JSON):
        raise UnknownMediaType(f"The body must be {JSON} or {CSV}, not {shown(media)}.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() == "charset" and value.strip('"').lower() in ("utf-8", "utf8"):
            continue
        raise UnknownMediaType(f"The body must be UTF-8 without other parameters of its type, not {shown(parameter)}.")
    return media


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    except ValueError as error:
        raise BadRequest(f"The body is no JSON: {error}") from None


def _data(form: str, value: Any, signature: Signature) -> Any:
    if form == "dataframe_split":
        return _fit_frame(frames.from_split(value), signature)
    if form == "dataframe_records":
        return _fit_frame(frames.from_records(value), signature)
    if form == "instances" and _is_records(value):
        if signature.columns:
            return _fit_frame(frames.from_records(value), signature)
        value = _by_name(value)
    if signature.tensors:
        return tensors.fit(value, signature)
    if signature.columns:
        return _columns(value, signature)
    return frames.from_records(value).infer_objects() if _is_records(value) else tensors.free(value)


def _fit_frame(frame: pd.DataFrame, signature: Signature) -> Any:
    if signature.tensors:
        return tensors.fit(frame, signature)
    return frames.fit(frame, signature) if signature.columns else frame.infer_objects()


def _columns(value: Any, signature: Signature) -> pd.DataFrame:
    """``inputs`` for a model with columns: an object of columns, a list of rows, or the one column itself."""
    if _is_records(value):
        return frames.fit(frames.from_records(value), signature)
    if isinstance(value, dict):
        return frames.fit(frames.from_columns(value), signature)
    if len(signature.columns) == 1:
        column = signature.columns[0]
        rows = value if isinstance(value, list) else [value]
        whole = column.kind.name == "array" and rows and not isinstance(rows[0], list)
        return frames.fit(
            pd.DataFrame({column.name or 0: pd.Series([rows] if whole else rows, dtype=object)}), signature
        )
    if not isinstance(value, list) or signature.named:
        names = ", ".join(repr(column.name) for column in signature.columns)
        raise InvalidInput(f"The model takes the columns {names}; the input is {shown(value)}.")
    return frames.fit(frames.from_split({"data": value}), signature)


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _by_name(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = rows[0].keys()
    if any(row.keys() != names for row in rows):
        raise InvalidInput("All instances must have the same names.")
    return {name: [row[name] for row in rows] for name in names}


def _unwrapped(value: dict[str, Any], signature: Signature) -> Asked:
    names = {param.name for param in signature.params}
    data = {key: item for key, item in value.items() if key not in names}
    given = params.fit({key: item for key, item in value.items() if key in names}, signature)
    if signature.texts and "prompt" in data:
        return Asked(_columns(data["prompt"], signature), given, wrapped=False)
    if signature.columns:
        return Asked(frames.fit(pd.DataFrame([data]), signature), given, wrapped=False)
    return Asked(data, given, wrapped=False)
