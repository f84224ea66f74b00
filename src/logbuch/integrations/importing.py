"""Something to be done as soon as a module is imported, without importing it."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from logbuch.integrations.quiet import quietly

Action = Callable[[], None]

_waiting: dict[str, Action] = {}
_searching = threading.local()


def when_imported(name: str, action: Action) -> None:
    """Calls ``action`` now if the module is there, else right after its import."""
    if name in sys.modules:
        action()
        return
    _waiting[name] = action
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def forget(name: str) -> None:
    """Nothing is to be done any more; without anything to wait for, imports are as they were."""
    _waiting.pop(name, None)
    if not _waiting and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


class _Finder:
    """Finds no module itself: it lets the others look for one that is waited for, and minds the end of its import."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if name not in _waiting or getattr(_searching, "name", None) == name:
            return None
        _searching.name = name
        try:
            found = importlib.util.find_spec(name)
        finally:
            _searching.name = None
        if found is not None and found.loader is not None:
            _mind(found.loader, name)
        return found


_finder: Any = _Finder()


def _mind(loader: Any, name: str) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module  # afterwards the loader is as it was
        execute(module)
        action = _waiting.get(name)
        forget(name)
        if action is not None:
            with quietly(f"trainings with {name}"):
                action()

    loader.exec_module = exec_module
