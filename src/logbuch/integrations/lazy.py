"""Public names of a module whose home imports a training library: they are fetched at their first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def names(module: str, homes: dict[str, str]) -> Callable[[str], Any]:
    """A ``__getattr__`` for a module; ``homes`` says in which module each name is defined."""

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return get
