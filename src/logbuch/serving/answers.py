"""Predictions as JSON, in the form of MLflow's scoring server."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any

import numpy as np
import pandas as pd

from logbuch.errors import LogbuchError


class Unanswerable(LogbuchError):
    """A model returned what JSON cannot carry: the model's fault, not the client's."""


def encode(predictions: Any, *, wrapped: bool = True) -> bytes:
    """``{"predictions": …}``, or the bare value. NaN is the word NaN, as MLflow's server and Python's json have it."""
    value = plain(predictions)
    try:
        return json.dumps({"predictions": value} if wrapped else value, default=_other, ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise Unanswerable(f"The model returned what JSON cannot carry: {error}") from None


def plain(value: Any) -> Any:
    """Arrays as lists, frames and series as records."""
    if isinstance(value, pd.Series):
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        return [{str(name): item for name, item in row.items()} for row in value.to_dict(orient="records")]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _other(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, pd.Series | pd.DataFrame):
        return plain(value)
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")
