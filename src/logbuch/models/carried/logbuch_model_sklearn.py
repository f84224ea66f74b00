"""Loads a scikit-learn model that was saved with skops. Stands alone: it needs PyYAML, skops and scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def load(folder: str | Path, entry: dict[str, Any]) -> Any:
    """The estimator. Types beyond those that skops knows to be safe must be in the entry's ``skops_trusted_types``."""
    import skops.io

    file = Path(folder) / entry["pickled_model"]
    return skops.io.load(file, trusted=entry.get("skops_trusted_types") or [])


class Model:
    """``predict``, or another method of the estimator that the model names."""

    def __init__(self, native: Any, method: str = "predict") -> None:
        self.native = native
        self._predict = getattr(native, method)

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        return self._predict(data, **(params or {}))


def wrap(native: Any, flavors: dict[str, Any]) -> Model:
    return Model(native, flavors["python_function"].get("predict_fn") or "predict")


def _load_pyfunc(path: str) -> Model:
    flavors = yaml.safe_load((Path(path) / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    return wrap(load(path, flavors["sklearn"]), flavors)
