"""What ends a training with one line instead of a traceback."""

from __future__ import annotations


class Problem(Exception):
    """Something that the user can put right; its text is one line."""
