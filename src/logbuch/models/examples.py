"""The input example of a model, as MLflow keeps it: once to load, once as a body for the scoring server."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput

_FILE, _SERVING = "input_example.json", "serving_input_example.json"
_ROWS = 5


def parts(example: Any) -> tuple[Any, Mapping[str, Any] | None]:
    """An example is data, or a pair of data and params."""
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], Mapping):
        return example
    return example, None


def write(folder: Path, example: Any) -> dict[str, Any]:
    """Writes an example (a DataFrame, array, dict, list or text), at most five rows of it, and says what was written
    where, as the MLmodel file does. ``InvalidInput`` for one that JSON cannot hold."""
    data, params = parts(example)
    kind, content, body = _encoded(shortened(data))
    info = {"artifact_path": _FILE, "serving_input_path": _SERVING, **kind}
    serving = body | ({"params": dict(params)} if params else {})
    if params:
        content = {"data": content, "params": dict(params)}
        info["example_params"] = True
    _dump(folder / _FILE, content)
    _dump(folder / _SERVING, serving)
    return info


def shortened(data: Any) -> Any:
    """The first rows."""
    if hasattr(data, "iloc"):
        return data.iloc[:_ROWS]
    if hasattr(data, "shape") and data.shape:
        return data[:_ROWS]
    return data


def _encoded(data: Any) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    if hasattr(data, "to_frame"):
        data = data.to_frame()
    if hasattr(data, "columns"):
        split = {"columns": [str(name) for name in data.columns], "data": data.to_numpy(dtype=object).tolist()}
        return {"type": "dataframe", "pandas_orient": "split"}, split, {"dataframe_split": split}
    if hasattr(data, "detach"):
        data = data.detach().cpu().numpy()
    if hasattr(data, "tolist"):
        values = data.tolist()
        return {"type": "ndarray", "format": "tf-serving"}, {"inputs": values}, {"inputs": values}
    if isinstance(data, Mapping) and data and all(hasattr(value, "tolist") for value in data.values()):
        plain = {key: value.tolist() for key, value in data.items()}
        return {"type": "ndarray", "format": "tf-serving"}, {"inputs": plain}, {"inputs": plain}
    return {"type": "json_object"}, data, {"inputs": data}


def _dump(file: Path, content: Any) -> None:
    try:
        file.write_text(json.dumps(content, default=_plain), encoding="utf-8")
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"The input example cannot be kept as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__}")
