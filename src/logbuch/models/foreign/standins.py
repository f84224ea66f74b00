"""Stand-ins for the few names of ``mlflow`` that pickled models and models from code refer to, where it is missing."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from logbuch.models.carried import logbuch_model_pyfunc as ours

_NAMES = ("mlflow", "mlflow.pyfunc", "mlflow.pyfunc.model", "mlflow.pyfunc.context", "mlflow.models")


class _SetModel:
    """``mlflow.models.set_model``: remembers what a model's code made."""

    def __init__(self) -> None:
        self.model: Any = None

    def __call__(self, model: Any) -> None:
        self.model = model


chosen = _SetModel()


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Within the block the modules can be imported."""
    if importlib.util.find_spec("mlflow") is not None:
        yield
        return
    modules = {name: ModuleType(name) for name in _NAMES}
    for name in ("mlflow.pyfunc", "mlflow.pyfunc.model"):
        vars(modules[name]).update(
            PythonModel=ours.PythonModel,
            PythonModelContext=ours.PythonModelContext,
            _FunctionPythonModel=ours.FunctionModel,
        )
    vars(modules["mlflow.models"])["set_model"] = chosen
    for name in _NAMES[1:]:
        parent, _, child = name.rpartition(".")
        setattr(modules[parent], child, modules[name])
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in _NAMES:
            sys.modules.pop(name, None)
