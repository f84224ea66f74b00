"""Unpickling, after the caller has allowed it: nothing else in Logbuch does."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from logbuch.models.foreign import standins


def load(file: Path) -> Any:
    """The object of a file; one of cloudpickle needs that package."""
    with standins.installed(), file.open("rb") as content:
        return pickle.load(content)  # noqa: S301
