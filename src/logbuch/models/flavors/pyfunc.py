"""Python functions: an own class, kept as its source and its attributes."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import logbuch
from logbuch.errors import InvalidInput
from logbuch.models import sources
from logbuch.models.carried import logbuch_model_pyfunc as loader
from logbuch.models.flavors import calls
from logbuch.models.flavors.flavor import Flavor, Saved
from logbuch.models.recording import LoggedModelInfo

_ATTRIBUTES = "attributes.json"
_CODE = "model_code.py"


class PythonFunction(Flavor):
    name = "python_function"
    loader = loader
    packages = ("numpy", "pandas")

    def __init__(self, artifacts: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None) -> None:
        self._artifacts = dict(artifacts or {})
        self._config = config

    def write(self, model: Any, folder: Path) -> Saved:
        target = model if inspect.isfunction(model) else type(model)
        if not inspect.isfunction(model) and not callable(getattr(model, "predict", None)):
            raise InvalidInput(
                f"Invalid python_model of type {type(model).__name__}: a function, or an object with a method "
                "predict, is wanted."
            )
        code = {} if _by_name(target) else {_CODE: sources.standalone(target)}
        entry = {
            "class_path": f"{target.__module__}:{target.__name__ if code else target.__qualname__}",
            "class_code": _CODE if code else None,
            "attributes": _ATTRIBUTES,
            "artifacts": {name: self._artifact(name, where, folder) for name, where in self._artifacts.items()},
            "config": dict(self._config) if self._config else None,
        }
        _write_attributes(model, folder)
        return Saved(entry, code=code)

    @staticmethod
    def _artifact(name: str, where: str, folder: Path) -> dict[str, str]:
        """Copies an artifact, a local path or an address, into the model."""
        source = Path(logbuch.download_artifacts(str(where)))
        target = folder / "artifacts" / source.name
        if target.exists():
            raise InvalidInput(f"Invalid artifact {name!r}: there are two called {source.name!r}.")
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        return {"path": f"artifacts/{source.name}", "uri": str(where)}


def _by_name(target: Any) -> bool:
    """Whether the name is enough: a class of an installed package. Of functions the source is always kept, for a
    name alone would let a model call any function there is."""
    return isinstance(target, type) and sources.is_installed(target)


def _write_attributes(model: Any, folder: Path) -> None:
    values: dict[str, Any] = {}
    arrays: dict[str, str] = {}
    for name, value in ({} if inspect.isfunction(model) else vars(model)).items():
        if name.startswith("_logbuch_"):
            continue
        if type(value).__module__ == "numpy" and getattr(value, "ndim", 0) > 0 and value.dtype.kind not in "OV":
            arrays[name] = _write_array(name, value, folder)
        else:
            values[name] = _plain(name, value)
    (folder / _ATTRIBUTES).write_text(json.dumps({"values": values, "arrays": arrays}), encoding="utf-8")


def _write_array(name: str, value: Any, folder: Path) -> str:
    import numpy as np

    file = f"arrays/{name}.npy"
    (folder / "arrays").mkdir(exist_ok=True)
    np.save(folder / file, value, allow_pickle=False)
    return file


def _plain(name: str, value: Any) -> Any:
    try:
        same = json.loads(json.dumps(value)) == value
    except (TypeError, ValueError):
        same = False
    if not same:
        raise InvalidInput(
            f"The model's attribute {name!r}, a {type(value).__name__}, cannot be kept without pickle: make it an "
            "artifact and load it in load_context, or keep it as numbers, texts, lists, dicts or arrays."
        )
    return value


def save_model(
    path: str | Path,
    *,
    python_model: Any,
    artifacts: Mapping[str, str] | None = None,
    model_config: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Saves an object with a method ``predict``, or a function, to a folder. ``artifacts`` are files that it wants
    (name to path or address), ``model_config`` is what its context holds."""
    calls.save(PythonFunction(artifacts, model_config), python_model, path, options)


def log_model(
    artifact_path: str | None = None,
    *,
    python_model: Any,
    name: str | None = None,
    artifacts: Mapping[str, str] | None = None,
    model_config: Mapping[str, Any] | None = None,
    **options: Any,
) -> LoggedModelInfo:
    """Logs an object with a method ``predict``, or a function, to the active run, as :func:`save_model` saves it."""
    return calls.log(PythonFunction(artifacts, model_config), python_model, artifact_path, name, options)
