"""LightGBM's models of the real client: the text format, skops, or pickled estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logbuch.models import trusted
from logbuch.models.carried import logbuch_model_lightgbm as ours
from logbuch.models.foreign import pickled


def load(folder: Path, entry: dict[str, Any]) -> Any:
    """The booster or the estimator."""
    file = folder / entry["data"]
    if file.suffix == ".skops":
        import skops.io

        return skops.io.load(file, trusted=trusted.unknown_types(file))
    return ours.load(folder, entry) if file.suffix in (".lgb", ".txt") else pickled.load(file)


wrap = ours.wrap
