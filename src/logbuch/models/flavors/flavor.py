"""What every flavor has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from logbuch.models.schema import ModelSignature


@dataclass(frozen=True, slots=True)
class Saved:
    """What a flavor wrote: its entry of the MLmodel file, what it adds to that of ``python_function``, code that the
    model needs (file name and source), and packages beyond the flavor's own."""

    entry: Mapping[str, Any]
    python_function: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    signature: ModelSignature | None = None
    """What models of this kind take and give, where nobody says otherwise."""


class Flavor(ABC):
    """A kind of model. ``loader`` is the module that reads it again, which the model carries along."""

    name: str
    loader: ModuleType
    packages: tuple[str, ...]
    """Distributions that loading needs; of those that are not installed nothing is said."""

    @abstractmethod
    def write(self, model: Any, folder: Path) -> Saved:
        """Writes the model's files. ``InvalidInput`` for what cannot be kept without pickle."""
