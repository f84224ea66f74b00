"""Every test of the terminal's views gets a process state of its own."""

from __future__ import annotations

from support.fresh import fresh

__all__ = ["fresh"]
