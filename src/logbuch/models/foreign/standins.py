"""Stand-ins for ``mlflow``, where it is missing: pickled models and models from code refer to some of its names.

The classes that matter are ours. Any other class takes what it is given and does nothing, so that a model loads which
holds signatures and schemas; a function of any other name answers None, and a decorator leaves its function as it is.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple

from logbuch.models.carried import logbuch_model_pyfunc as ours

_ROOT = "mlflow"


class _SetModel:
    """``mlflow.models.set_model``: remembers what a model's code made."""

    def __init__(self) -> None:
        self.model: Any = None

    def __call__(self, model: Any) -> None:
        self.model = model


class _Open(type):
    """Of an enumeration each name is a member."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return cls(name)


class _Empty(metaclass=_Open):
    """Made of anything, as when it is unpickled or when a model's code describes its columns."""

    def __init__(self, *given: Any, **named: Any) -> None:
        vars(self).update(named)
        self._given = given

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            vars(self).update(state)


class _FuncInfo(NamedTuple):
    """What the real client notes of a ``predict`` with type hints."""

    input_type_hint: Any
    input_param_name: str


def _unchecked(args: Any, named: Any, *_: Any) -> tuple[Any, Any]:
    """In place of the checks that the real client puts around such a ``predict``: signatures are checked here."""
    return args, named


def _decorator(*given: Any, **_: Any) -> Any:
    """Of a decorator, with or without arguments: the function as it is."""
    return given[0] if len(given) == 1 and callable(given[0]) else lambda function: function


chosen = _SetModel()
_NAMES: dict[str, Any] = {
    "PythonModel": ours.PythonModel,
    "PythonModelContext": ours.PythonModelContext,
    "_FunctionPythonModel": ours.FunctionModel,
    "FuncInfo": _FuncInfo,
    "_validate_model_input": _unchecked,
    "set_model": chosen,
    "trace": _decorator,
}


class _Module(ModuleType):
    """A module, or a function of that name: which of both is seen only when it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _NAMES.get(name)
        if found is None and name.islower():
            return importlib.import_module(f"{self.__name__}.{name}")
        found = found or _class(name, self.__name__)
        setattr(self, name, found)
        return found

    def __call__(self, *_: Any, **__: Any) -> None:
        return None


def _class(name: str, module: str) -> type:
    if name.endswith(("Exception", "Error")):
        return type(name, (Exception,), {"__module__": module})
    return _Open(name, (_Empty,), {"__module__": module})


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
