"""MLflow's scalar types: how a value that came as JSON or CSV becomes one, and when it does not.

Conversions keep the value: 1.0 is a long, 1.5 is none, and 2**40 is no integer of 32 bits. MLflow's own server cuts
both without a word. The names are those of MLflow's ``DataType``: https://mlflow.org/docs/latest/ml/model/signatures/
"""

from __future__ import annotations

import base64
import binascii
import datetime
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

_FLOAT32_MAX = float(np.finfo(np.float32).max)
_WORDS = {"true": True, "false": False, "1": True, "0": False}


class Unfit(ValueError):
    """A value that is not of the type; the text goes on after the name of the column."""


def missing(value: Any) -> bool:
    """Whether a value stands for none: null, NaN, NaT."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def convert(kind: str, value: Any) -> Any:
    """The value as one of MLflow's scalar type ``kind``; Unfit when it is none."""
    try:
        return _CONVERTERS[kind](value)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise Unfit(f"{shown(value)} is no {kind}") from None


def shown(value: Any) -> str:
    """A value within a message: short, whatever was sent."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _double(value: Any) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, str | int | float | np.number):
        raise TypeError
    return float(value)


def _float(value: Any) -> float:
    number = _double(value)
    if math.isfinite(number) and abs(number) > _FLOAT32_MAX:
        raise OverflowError
    return float(np.float32(number))


def _whole(bits: int) -> Callable[[Any], int]:
    limit = 1 << (bits - 1)

    def whole(value: Any) -> int:
        if isinstance(value, str):
            number = int(value)
        elif isinstance(value, int | float | np.number):
            number = int(value)
            if number != value:
                raise ValueError
        else:
            raise TypeError
        if not -limit <= number < limit:
            raise OverflowError
        return number

    return whole


def _boolean(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str):
        known = _WORDS.get(value.lower())
        if known is None:
            raise ValueError
        return known
    if isinstance(value, int | float | np.number) and value in (0, 1):
        return bool(value)
    raise TypeError


def _string(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if missing(value):
        return None
    raise TypeError


def _binary(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError
    return base64.b64decode("".join(value.split()), validate=True)


def _datetime(value: Any) -> Any:
    if value is None:
        return pd.NaT
    if not isinstance(value, str | int | datetime.date | np.datetime64) or isinstance(value, bool):
        raise TypeError
    moment: Any = pd.Timestamp(value)
    if pd.isna(moment):
        return pd.NaT
    if moment.tzinfo is not None:
        moment = moment.tz_convert("UTC").tz_localize(None)
    return moment.as_unit("ns")


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _whole(32),
    "long": _whole(64),
    "float": _float,
    "double": _double,
    "string": _string,
    "binary": _binary,
    "datetime": _datetime,
}

DTYPES: dict[str, Any] = {
    "boolean": np.dtype(bool),
    "integer": np.dtype(np.int32),
    "long": np.dtype(np.int64),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "string": np.dtype(object),
    "binary": np.dtype(object),
    "datetime": np.dtype("datetime64[ns]"),
}
"""Which dtype a column of each scalar type has in the frame that a model gets."""
