"""scikit-learn's estimators of the real client: skops, or pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logbuch.models import trusted
from logbuch.models.carried import logbuch_model_sklearn as ours
from logbuch.models.foreign import pickled


def load(folder: Path, entry: dict[str, Any]) -> Any:
    """The estimator. Which types a skops file may hold has been judged before."""
    file = entry.get("pickled_model") or "model.pkl"
    if entry.get("serialization_format") != "skops":
        return pickled.load(folder / file)
    return ours.load(folder, {**entry, "skops_trusted_types": trusted.unknown_types(folder / file)})


wrap = ours.wrap
