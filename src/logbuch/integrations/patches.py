"""Functions of other libraries, replaced until they are restored."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

Around = Callable[..., Any]
"""Called in place of a function: with that function, then with the arguments of the call."""

_MARK = "__logbuch_patch__"


class Patches:
    """The replaced functions of one library. Safe from any thread; nothing is replaced twice."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._replaced: list[tuple[Any, str, Any, Any]] = []
        self.live = False

    def replace(self, owner: Any, name: str, around: Around) -> None:
        """Has ``around`` called in place of ``owner.name``, which must be defined in the owner itself."""
        with self._lock:
            original = vars(owner).get(name)
            function = _function(original)
            if function is None or getattr(function, _MARK, None) is self:
                return
            put = _like(original, self._wrap(function, around))
            setattr(owner, name, put)
            self._replaced.append((owner, name, original, put))

    def add(self, owner: Any, name: str, value: Any) -> None:
        """Sets what the owner itself does not have."""
        with self._lock:
            if name not in vars(owner):
                setattr(owner, name, value)
                self._replaced.append((owner, name, None, vars(owner)[name]))

    def restore(self) -> None:
        """Puts everything back. What somebody else has replaced meanwhile stays, and calls the original."""
        with self._lock:
            self.live = False
            while self._replaced:
                owner, name, original, put = self._replaced.pop()
                if vars(owner).get(name) is not put:
                    continue
                if original is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, original)

    def _wrap(self, original: Callable[..., Any], around: Around) -> Callable[..., Any]:
        @functools.wraps(original)
        def replacement(*args: Any, **kwargs: Any) -> Any:
            return around(original, *args, **kwargs) if self.live else original(*args, **kwargs)

        setattr(replacement, _MARK, self)
        return replacement


def _function(found: Any) -> Any:
    """The function that an attribute is, or that scikit-learn's ``available_if`` has wrapped; None if it is neither."""
    return found if callable(found) else getattr(found, "fn", None)


def _like(original: Any, replacement: Any) -> Any:
    """The replacement in the form that the original had."""
    if callable(original):
        return replacement
    return type(original)(replacement, original.check, original.attribute_name)
