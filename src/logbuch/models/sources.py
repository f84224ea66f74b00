"""The source of a class or function with all it refers to, as one file that stands alone.

A pickled class carries its code in bytes that run unseen. Here a model carries readable Python: the definition itself,
those of the user's own modules that it uses, the imports, and plain constants. What belongs to an installed package is
imported.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import inspect
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from logbuch.errors import InvalidInput

_INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib"))
_OURS = "logbuch"


def standalone(*targets: Any) -> str:
    """Python source that defines classes or functions under their names. ``InvalidInput`` names what they refer to
    that is neither code, module nor constant."""
    collected = _Collected()
    for target in targets:
        if "<locals>" in target.__qualname__ and _closes_over(target):
            raise InvalidInput(f"{target.__qualname__} uses variables of the function that it is defined in.")
        collected.add(target)
    return collected.text()


def is_installed(target: Any) -> bool:
    """Whether a class or function comes from an installed package, so that its name is enough."""
    return _installed(target.__module__)


def _installed(module: str) -> bool:
    if module.partition(".")[0] in (_OURS, *sys.builtin_module_names):
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module != "__main__" and importlib.util.find_spec(module.partition(".")[0]) is not None
    return any(Path(file).resolve().is_relative_to(folder) for folder in _INSTALLED)


def _closes_over(target: Any) -> bool:
    functions = [target] if inspect.isfunction(target) else [f for f in vars(target).values() if inspect.isfunction(f)]
    return any(set(function.__code__.co_freevars) - {"__class__"} for function in functions)


class _Collected:
    """Definitions by name, each after those that it needs."""

    def __init__(self) -> None:
        self._imports: dict[str, str] = {}
        self._definitions: dict[str, str] = {}
        self._of: dict[str, Any] = {}

    def add(self, target: Any) -> None:
        name = target.__name__
        if self._known(name, target):
            return
        source = _source(target)
        self._of[name] = target
        scope = vars(sys.modules[target.__module__]) if target.__module__ in sys.modules else {}
        for used in _names(source):
            if used in scope and used != name:
                self._use(used, scope[used])
        self._definitions[name] = source

    def text(self) -> str:
        imports = "\n".join(sorted(set(self._imports.values())))
        parts = ["from __future__ import annotations", imports, *self._definitions.values()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _use(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType):
            self._import(name, f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"), value)
        elif inspect.isclass(value) or inspect.isfunction(value):
            if _installed(value.__module__):
                self._from(name, value)
            elif value.__name__ != name:
                self.add(value)
                self._define(name, f"{name} = {value.__name__}", value)
            else:
                self.add(value)
        elif hasattr(value, "__module__") and hasattr(value, "__name__") and value.__module__ is not None:
            self._from(name, value)
        elif not hasattr(builtins, name):
            self._constant(name, value)

    def _from(self, name: str, value: Any) -> None:
        renamed = "" if value.__name__ == name else f" as {name}"
        self._import(name, f"from {value.__module__} import {value.__name__}{renamed}", value)

    def _import(self, name: str, line: str, value: Any) -> None:
        if isinstance(value, ModuleType) and not _installed(value.__name__):
            raise InvalidInput(f"The model's code uses the module {value.__name__!r} whole: give it as code_paths.")
        if not self._known(name, value):
            self._of[name], self._imports[name] = value, line

    def _define(self, name: str, line: str, value: Any) -> None:
        if name not in self._definitions:
            self._of[name], self._definitions[name] = value, line

    def _constant(self, name: str, value: Any) -> None:
        try:
            plain = ast.literal_eval(repr(value)) == value
        except (ValueError, SyntaxError, TypeError, MemoryError):
            plain = False
        if not plain:
            raise InvalidInput(
                f"The model's code uses {name!r}, a {type(value).__name__} that cannot be written down: make it an "
                "artifact or an attribute of the model."
            )
        self._define(name, f"{name} = {value!r}", value)

    def _known(self, name: str, value: Any) -> bool:
        if name in self._of and self._of[name] is not value and self._of[name] != value:
            raise InvalidInput(f"The model's code uses two different things called {name!r}.")
        return name in self._of


def _source(target: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(target)).strip()
    except (OSError, TypeError):
        raise InvalidInput(f"The source of {target.__qualname__} is not to be had: define it in a file.") from None


def _names(source: str) -> Iterator[str]:
    """The names that a piece of source mentions, also in annotations that are texts."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            yield node.id
