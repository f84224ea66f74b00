"""Loads an XGBoost model from its own format (ubj or JSON). Stands alone: it needs PyYAML, XGBoost and NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def load(folder: str | Path, entry: dict[str, Any]) -> Any:
    """The booster, or the estimator of XGBoost's scikit-learn interface that was saved."""
    import xgboost

    name = str(entry.get("model_class") or "xgboost.core.Booster").rpartition(".")[2]
    if name not in ("Booster", *(known for known in xgboost.__all__ if known.startswith("XGB"))):
        raise ValueError(f"{name} is no model of XGBoost")
    model = getattr(xgboost, name)()
    model.load_model(str(Path(folder) / entry["data"]))
    return model


class Model:
    """A booster is given its matrix, an estimator the data as they are."""

    def __init__(self, native: Any) -> None:
        self.native = native

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        import xgboost

        matrix = xgboost.DMatrix(data) if isinstance(self.native, xgboost.Booster) else data
        return self.native.predict(matrix, **(params or {}))


def wrap(native: Any, flavors: dict[str, Any]) -> Model:
    del flavors
    return Model(native)


def _load_pyfunc(path: str) -> Model:
    flavors = yaml.safe_load((Path(path) / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    return wrap(load(path, flavors["xgboost"]), flavors)
