"""Whether loading a model would unpickle, told from its files alone: nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logbuch.models import trusted
from logbuch.models.info import ModelInfo, read_metadata


def needs_pickle(folder: str | Path) -> str | None:
    """Why the model cannot be loaded without running what it says, as half a sentence; None if it can.

    Pickle runs any code, and so do skops files with types that nobody knows.
    """
    return reason(Path(folder), read_metadata(folder))


def reason(folder: Path, info: ModelInfo) -> str | None:
    """What :func:`needs_pickle` says of a model whose MLmodel file has been read."""
    function = info.python_function
    loader = str(function.get("loader_module") or "")
    if function.get("python_model") and loader == "mlflow.pyfunc.model":
        return f"its class is pickled in {function['python_model']}"
    if loader == "mlflow.pytorch":
        return "PyTorch's module is pickled in data/"
    for name, judge in _JUDGES.items():
        if name in info.flavors:
            found = judge(folder, info.flavors[name])
            if found:
                return found
    return None


def _sklearn(folder: Path, entry: Mapping[str, Any]) -> str | None:
    file = str(entry.get("pickled_model") or "model.pkl")
    # MLflow before 1.0 wrote no format: it was pickle.
    if entry.get("serialization_format") != "skops":
        return f"scikit-learn's estimator is pickled in {file}"
    return _skops(folder, file)


def _lightgbm(folder: Path, entry: Mapping[str, Any]) -> str | None:
    file = str(entry.get("data") or "")
    if file.endswith((".lgb", ".txt")):
        return None
    return _skops(folder, file) if file.endswith(".skops") else f"LightGBM's estimator is pickled in {file}"


def _pytorch(_: Path, entry: Mapping[str, Any]) -> str | None:
    if entry.get("state_dict") and entry.get("architecture"):
        return None
    # An exported program (pt2) too: reading it unpickles, and evaluates expressions.
    return f"PyTorch's module is pickled in {entry.get('model_data') or 'data'}/"


def _transformers(folder: Path, entry: Mapping[str, Any]) -> str | None:
    for key in ("model_binary", "peft_adaptor"):
        place = folder / str(entry[key]) if entry.get(key) else None
        if place is not None and not any(place.glob("*.safetensors")):
            return f"the weights in {entry[key]}/ are no safetensors"
    return None


def _skops(folder: Path, file: str) -> str | None:
    strange = [name for name in trusted.unknown_types(folder / file) if not trusted.is_harmless(name)]
    return f"{file} holds {', '.join(strange)}" if strange else None


_JUDGES = {"sklearn": _sklearn, "lightgbm": _lightgbm, "pytorch": _pytorch, "transformers": _transformers}
