"""Which loader reads a model."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput, LogbuchError, NotImplementedHere
from logbuch.limits import clip
from logbuch.models.info import ModelInfo

_BUILT_IN = {
    "logbuch_model_sklearn": ("sklearn", "logbuch.models.carried.logbuch_model_sklearn"),
    "logbuch_model_pyfunc": ("python_function", "logbuch.models.carried.logbuch_model_pyfunc"),
    "logbuch_model_xgboost": ("xgboost", "logbuch.models.carried.logbuch_model_xgboost"),
    "logbuch_model_lightgbm": ("lightgbm", "logbuch.models.carried.logbuch_model_lightgbm"),
    "mlflow.xgboost": ("xgboost", "logbuch.models.carried.logbuch_model_xgboost"),
    "mlflow.lightgbm": ("lightgbm", "logbuch.models.foreign.lightgbm"),
    "logbuch_model_pytorch": ("pytorch", "logbuch.models.carried.logbuch_model_pytorch"),
    "mlflow.pytorch": ("pytorch", "logbuch.models.foreign.pytorch"),
    "logbuch_model_transformers": ("transformers", "logbuch.models.carried.logbuch_model_transformers"),
    "mlflow.transformers": ("transformers", "logbuch.models.carried.logbuch_model_transformers"),
    "mlflow.sklearn": ("sklearn", "logbuch.models.foreign.sklearn"),
    "mlflow.pyfunc.loaders.code_model": ("python_function", "logbuch.models.foreign.pyfunc"),
    "mlflow.pyfunc.model": ("python_function", "logbuch.models.foreign.pyfunc"),
}
"""From the loader that a model names to the flavor whose entry it reads, and our module that does the same."""


def load(folder: Path, info: ModelInfo) -> tuple[Any, Any]:
    """The library's object, and what predicts with it."""
    name = str(info.python_function.get("loader_module") or "")
    if not name:
        raise InvalidInput(f"The model has no flavor python_function: it has {', '.join(info.flavors) or 'none'}.")
    if name not in _BUILT_IN:
        raise NotImplementedHere(f"Models of the loader {name!r} are not loaded here; use the mlflow package for them.")
    flavor, module = _BUILT_IN[name]
    entry = info.flavors.get(flavor)
    if entry is None:
        raise InvalidInput(f"The model names the loader {name!r} but has no flavor {flavor!r}.")
    loader = _imported(module, name)
    native = _loaded(loader, folder, entry)
    return native, loader.wrap(native, {key: dict(value) for key, value in info.flavors.items()})


def _loaded(loader: Any, folder: Path, entry: Mapping[str, Any]) -> Any:
    """What is missing or damaged in a model's folder is a client's mistake, whichever error it shows as."""
    try:
        return loader.load(folder, dict(entry))
    except LogbuchError:
        raise
    except ImportError as error:
        raise InvalidInput(f"The model needs {error.name}, which is not installed: {error}") from error
    except Exception as error:
        said = clip(" ".join(str(error).split()), 500)
        raise InvalidInput(f"The model could not be loaded: {type(error).__name__}: {said}") from error


def brings_code(info: ModelInfo) -> str | None:
    """Which code of its own loading the model runs; None if there is none, for the loaders that models carry are not
    run here."""
    function = info.python_function
    if function.get("model_code_path"):
        return f"it runs the code {Path(function['model_code_path']).name}"
    for entry in info.flavors.values():
        if entry.get("class_code"):
            return f"it runs the code code/{entry['class_code']}"
    return None


def _imported(module: str, name: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InvalidInput(f"The model of the loader {name!r} needs {error.name}: install it.") from None
