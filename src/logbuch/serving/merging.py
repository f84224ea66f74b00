"""Several requests as one prediction: rows put together, and the answer taken apart again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from logbuch.serving.requests import Asked


def key(asked: Asked) -> Hashable | None:
    """What two requests must have in common to be predicted together; None for one that is predicted alone."""
    data = asked.data
    if isinstance(data, pd.DataFrame) and all(isinstance(name, str) for name in data.columns):
        columns = tuple((name, str(dtype)) for name, dtype in data.dtypes.items())
        return ("frame", columns, repr(sorted(asked.params.items())))
    if isinstance(data, np.ndarray) and data.ndim and data.dtype != object:
        return ("array", str(data.dtype), data.shape[1:], repr(sorted(asked.params.items())))
    return None


def rows(asked: Asked) -> int:
    """How many rows a request has."""
    return len(asked.data) if isinstance(asked.data, pd.DataFrame | np.ndarray) and np.ndim(asked.data) else 1


def together(requests: Sequence[Asked]) -> Any:
    """The rows of all requests, in their order."""
    if isinstance(requests[0].data, pd.DataFrame):
        return pd.concat([asked.data for asked in requests], ignore_index=True)
    return np.concatenate([asked.data for asked in requests])


def apart(predictions: Any, requests: Sequence[Asked]) -> list[Any] | None:
    """Each request's part of the answer; None when the answer has not one entry a row."""
    if not isinstance(predictions, pd.DataFrame | pd.Series | np.ndarray | list):
        return None
    counts = [rows(asked) for asked in requests]
    if np.ndim(predictions) == 0 or len(predictions) != sum(counts):
        return None
    found, begin = [], 0
    for asked, count in zip(requests, counts, strict=True):
        part = predictions[begin : begin + count]
        if isinstance(part, pd.DataFrame | pd.Series):
            part = part.set_axis(asked.data.index if isinstance(asked.data, pd.DataFrame) else range(count))
        found.append(part)
        begin += count
    return found
