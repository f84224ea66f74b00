"""What became of the records of a process, and which of its files somebody waits for."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Delivery(NamedTuple):
    """What became of the records of this process."""

    waiting: int
    sent: int
    refused: int
    dropped: int
    trouble: str | None
    """Why nothing is sent at the moment; None if all is well."""
    files: int = 0
    """How many of those that wait are files."""


class Files(Enum):
    """Which files a flush waits for."""

    NONE = 0
    DUE = 1  # those that have not just failed
    ALL = 2


class Unsent(NamedTuple):
    """What a process leaves behind."""

    records: int
    files: int
