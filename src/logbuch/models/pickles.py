"""Whether loading a model would unpickle, told from its files alone: nothing is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models import paths, trusted
from logbuch.models.info import ModelInfo, read_metadata


def needs_pickle(folder: str | Path) -> str | None:
    """Why the model cannot be loaded without running what it says, as half a sentence; None if it can.

    Pickle runs any code, and so do skops files with types that nobody knows.
    """
    return reason(Path(folder), read_metadata(folder))


def reason(folder: Path, info: ModelInfo) -> str | None:
    """What :func:`needs_pickle` says of a model whose MLmodel file has been read. InvalidInput for one that names files
    outside its folder."""
    paths.check(folder, info)
    function = info.python_function
    loader = str(function.get("loader_module") or "")
    if loader in _OF_CODE and (function.get("python_model") or not function.get("model_code_path")):
        return f"its class is pickled in {function.get('python_model')}"
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
    place = folder / str(entry.get("model_binary") or "model")
    if not any(place.glob("*.safetensors")):
        return f"the weights in {place.name}/ are no safetensors"
    # "owner/name" here is code that transformers fetches and runs.
    if any("/" in str(value) for key, value in _json(place / "config.json") if key.endswith("attn_implementation")):
        return f"{place.name}/config.json names a kernel of a hub"
    return _adapter(folder / str(entry["peft_adaptor"])) if entry.get("peft_adaptor") else None


def _adapter(place: Path) -> str | None:
    if not (place / "adapter_model.safetensors").is_file():
        return f"the weights in {place.name}/ are no safetensors"
    # PEFT imports whatever module is named beside this.
    if any(key == "megatron_config" and value for key, value in _json(place / "adapter_config.json")):
        return f"{place.name}/adapter_config.json names a module to import"
    return None


def _json(file: Path) -> Iterator[tuple[str, Any]]:
    """All keys of a JSON file with their values, however deep; none where there is no such file."""
    if not file.is_file():
        return
    try:
        left: list[Any] = [json.loads(file.read_text(encoding="utf-8"))]
    except (ValueError, RecursionError):
        raise InvalidInput(f"{file.name} of the model cannot be read: it is no JSON.") from None
    while left:
        found = left.pop()
        if isinstance(found, dict):
            yield from found.items()
        left += found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()


def foreign_modules(folder: Path, info: ModelInfo) -> list[str]:
    """The modules that a model names and that loading it would import, but for those of PyTorch itself."""
    found = set()
    for entry in info.flavors.values():
        if entry.get("class_path") and not entry.get("class_code"):
            found.add(str(entry["class_path"]).rpartition(":")[0])
        if entry.get("architecture"):
            file = folder / str(entry["architecture"])
            found |= {str(value).rpartition(":")[0] for key, value in _json(file) if key == "class"}
    return sorted(name for name in found if name and name.partition(".")[0] != "torch")


def _skops(folder: Path, file: str) -> str | None:
    strange = [name for name in trusted.unknown_types(folder / file) if not trusted.is_harmless(name)]
    return f"{file} holds {', '.join(strange)}" if strange else None


_OF_CODE = ("mlflow.pyfunc.model", "mlflow.pyfunc.loaders.code_model")
"""Loaders that take a model's code, and where it names none its pickle."""
_JUDGES = {"sklearn": _sklearn, "lightgbm": _lightgbm, "pytorch": _pytorch, "transformers": _transformers}
