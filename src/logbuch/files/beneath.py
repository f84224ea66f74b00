"""A folder below another one, opened in one call and without following a link, where Linux has openat2(2)."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence

_NUMBER = 437
"""Of the call, the same on every architecture that Python is built for."""
_NO_SYMLINKS, _BENEATH = 0x04, 0x08


class _How(ctypes.Structure):
    """struct open_how of linux/openat2.h."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


if sys.platform == "linux":
    _call = ctypes.CDLL(None).syscall
    _how = _How(os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, 0, _NO_SYMLINKS | _BENEATH)
else:
    _call = None


def folder(root: int, names: Sequence[str]) -> int | None:
    """A descriptor of the folder that these names lead to from ``root``. None where a walk has to say why there is
    none: it does not exist, is behind a link, or the system (a sandbox, an old kernel) has no such call."""
    if not names or _call is None:
        return None
    found: int = _call(_NUMBER, root, os.fsencode("/".join(names)), ctypes.byref(_how), ctypes.sizeof(_how))
    return found if found >= 0 else None
