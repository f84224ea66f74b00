"""What the SDK tells the user outside of logging: single lines on stderr."""

from __future__ import annotations

import contextlib
import sys


def say(message: str) -> None:
    """One line for the user; silence where nobody can read it."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()
