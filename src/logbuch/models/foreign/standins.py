"""Stand-ins for ``mlflow``, where it is missing: pickled models and models from code refer to some of its names.

The classes that matter are ours; any other name is an empty class, so that a model loads which mentions it and does not
use it.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from logbuch.models.carried import logbuch_model_pyfunc as ours

_ROOT = "mlflow"


class _SetModel:
    """``mlflow.models.set_model``: remembers what a model's code made."""

    def __init__(self) -> None:
        self.model: Any = None

    def __call__(self, model: Any) -> None:
        self.model = model


chosen = _SetModel()
_NAMES: dict[str, Any] = {
    "PythonModel": ours.PythonModel,
    "PythonModelContext": ours.PythonModelContext,
    "_FunctionPythonModel": ours.FunctionModel,
    "set_model": chosen,
}


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _NAMES.get(name)
        if found is None and name.islower():
            return importlib.import_module(f"{self.__name__}.{name}")
        found = found or type(name, (), {"__module__": self.__name__})
        setattr(self, name, found)
        return found


class _Finder:
    """Finds every module below ``mlflow``."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        mine = name == _ROOT or name.startswith(f"{_ROOT}.")
        return ModuleSpec(name, self, is_package=True) if mine else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Within the block the modules can be imported."""
    if importlib.util.find_spec(_ROOT) is not None:
        yield
        return
    finder: Any = _Finder()
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == _ROOT or name.startswith(f"{_ROOT}.")]:
            del sys.modules[name]
