"""Loads a Python function that was saved without pickle: a class by its name, and its attributes as JSON and arrays.

Stands alone: it needs PyYAML, and NumPy where attributes are arrays.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml


class PythonModelContext:
    """What a model's ``load_context`` and ``predict`` are given: ``artifacts`` (name to local path) and
    ``model_config``."""

    def __init__(self, artifacts: dict[str, str], model_config: dict[str, Any] | None) -> None:
        self.artifacts = artifacts
        self.model_config = model_config


class PythonModel:
    """The base of own models: ``predict(self, context, model_input, params=None)``, or without ``context``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Called once, when the model is loaded."""

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        raise NotImplementedError


class FunctionModel(PythonModel):
    """A plain function as a model."""

    def __init__(self, func: Any, signature: Any = None) -> None:
        self.func = func
        self.signature = signature

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # type: ignore[override]
        return self.func(model_input, params=params) if _takes(self.func, "params") else self.func(model_input)


class Model:
    """Calls ``predict`` with what it takes."""

    def __init__(self, native: Any) -> None:
        self.native = native
        taken = [name for name in inspect.signature(native.predict).parameters if name != "params"]
        self._with_context = len(taken) > 1

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        before = (getattr(self.native, "_logbuch_context", None),) if self._with_context else ()
        more = {"params": params} if _takes(self.native.predict, "params") else {}
        return self.native.predict(*before, data, **more)


def load(folder: str | Path, entry: dict[str, Any]) -> Any:
    """The object of the class ``entry["class_path"]``, whose source is in the model or, without ``class_code``,
    installed."""
    root = Path(folder)
    found = _named(root, entry)
    if not isinstance(found, type):
        model: Any = FunctionModel(found)
    else:
        model = object.__new__(found)
        vars(model).update(_attributes(root, entry))
    begin(model, root, entry)
    return model


def begin(model: Any, root: Path, entry: dict[str, Any]) -> None:
    """Gives a model its artifacts."""
    artifacts = {name: str(root / one["path"]) for name, one in (entry.get("artifacts") or {}).items()}
    context = PythonModelContext(artifacts, entry.get("config"))
    if hasattr(model, "load_context"):
        model.load_context(context)
    model._logbuch_context = context


def wrap(native: Any, flavors: dict[str, Any]) -> Model:
    del flavors
    return Model(native)


def _named(root: Path, entry: dict[str, Any]) -> Any:
    module, _, name = entry["class_path"].rpartition(":")
    source = entry.get("class_code")
    found: Any = importlib.import_module(module) if source is None else _run(root / "code" / source)
    for part in name.split("."):
        found = getattr(found, part)
    # A name alone must not lead to just any function or class that is installed.
    if source is None and not (isinstance(found, type) and any(one.__name__ == "PythonModel" for one in found.__mro__)):
        raise ValueError(f"{entry['class_path']} is no PythonModel")
    return found


def _run(file: Path) -> ModuleType:
    """The module of a file of the model, under a name of its own so that two models do not meet."""
    _stand_in()
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    own = f"_logbuch_{abs(hash(str(file.resolve()))):x}"
    spec = importlib.util.spec_from_file_location(own, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[own] = module
    spec.loader.exec_module(module)
    return module


def _stand_in() -> None:
    """Where Logbuch is missing, its base class is here."""
    if importlib.util.find_spec("logbuch") is not None:
        return
    package, child = ModuleType("logbuch"), ModuleType("logbuch.pyfunc")
    vars(child).update(PythonModel=PythonModel, PythonModelContext=PythonModelContext)
    vars(package)["pyfunc"] = child
    package.__path__ = []
    package.__spec__ = importlib.util.spec_from_loader("logbuch", loader=None)
    sys.modules.setdefault("logbuch", package)
    sys.modules.setdefault("logbuch.pyfunc", child)


def _attributes(root: Path, entry: dict[str, Any]) -> dict[str, Any]:
    found = json.loads((root / entry["attributes"]).read_text(encoding="utf-8"))
    values: dict[str, Any] = dict(found["values"])
    for name, file in found["arrays"].items():
        import numpy as np

        values[name] = np.load(root / file, allow_pickle=False)
    return values


def _takes(function: Any, name: str) -> bool:
    return name in inspect.signature(function).parameters


def _load_pyfunc(path: str) -> Model:
    flavors = yaml.safe_load((Path(path) / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    return wrap(load(path, flavors["python_function"]), flavors)
