"""Which types a skops file may hold without anybody's consent.

skops itself names the types that it does not know. Of those, the classes of scikit-learn (losses, trees and the like,
which are compiled) build values and do nothing else. Functions are another matter: NumPy alone has several that run
code.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from logbuch.errors import InvalidInput

_PACKAGES = ("sklearn",)


def unknown_types(file: Path) -> list[str]:
    """The types of a file that skops does not know to be safe; nothing of the file is built."""
    import skops.io

    try:
        return sorted(skops.io.get_untrusted_types(file=file))
    except Exception as error:  # noqa: BLE001  whatever a damaged or hostile file provokes
        raise InvalidInput(f"{file.name} cannot be read as a skops file: {type(error).__name__}: {error}") from None


def is_harmless(name: str) -> bool:
    """Whether a type is a class of scikit-learn's own."""
    module, _, attribute = name.rpartition(".")
    if module.partition(".")[0] not in _PACKAGES:
        return False
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        return False
    return isinstance(found, type) and found.__module__.partition(".")[0] in _PACKAGES
