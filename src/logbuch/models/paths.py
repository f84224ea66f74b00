"""The paths that an MLmodel file names: all of them lie in the model's folder, or nothing of it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models.info import ModelInfo

READ = ("python_function", "sklearn", "xgboost", "lightgbm", "pytorch", "transformers")
"""The flavors that are read here."""
_NO_PATHS = ("model_code_path", "source_model_name", "local_base_model_path", "adapter_base")
"""They say where something lay once."""


def check(folder: Path, info: ModelInfo) -> None:
    """InvalidInput for a model that names a file outside its folder."""
    root = folder.resolve()
    for flavor in READ:
        for key, path in _paths(info.flavors.get(flavor, {})):
            if "\0" in path or not (root / path).resolve().is_relative_to(root):
                raise InvalidInput(f"The model's {key} {path!r} lies outside its folder.")


def _paths(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What may be paths of an entry."""
    found = [(str(key), value) for key, value in entry.items() if key not in _NO_PATHS]
    artifacts = entry.get("artifacts")
    if isinstance(artifacts, dict):
        found += [(f"artifact {name}", one.get("path")) for name, one in artifacts.items() if isinstance(one, dict)]
    for key, value in found:
        if isinstance(value, str) and (value.startswith(".") or not {"/", "\\", "\0"}.isdisjoint(value)):
            yield key, value
