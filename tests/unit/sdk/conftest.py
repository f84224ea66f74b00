"""Every test of the SDK gets a process state of its own."""

from __future__ import annotations

from support.fresh import fresh

__all__ = ["fresh"]
