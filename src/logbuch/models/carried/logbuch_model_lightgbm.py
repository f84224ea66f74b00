"""Loads a LightGBM model from its own text format. Stands alone: it needs PyYAML, LightGBM and NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml


def load(folder: str | Path, entry: dict[str, Any]) -> Any:
    """The booster, or an estimator of LightGBM's scikit-learn interface around it."""
    import lightgbm

    booster = lightgbm.Booster(model_file=str(Path(folder) / entry["data"]))
    name = str(entry.get("model_class") or "lightgbm.basic.Booster").rpartition(".")[2]
    if name == "Booster":
        return booster
    if name not in ("LGBMClassifier", "LGBMRegressor", "LGBMRanker"):
        raise ValueError(f"{name} is no model of LightGBM")
    kept = json.loads((Path(folder) / entry["estimator"]).read_text(encoding="utf-8"))
    model = getattr(lightgbm, name)(**kept["params"])
    _fill(model, booster, kept)
    return model


def _fill(model: Any, booster: Any, kept: dict[str, Any]) -> None:
    """What ``fit`` leaves in an estimator."""
    model._Booster = booster
    model._n_features = model._n_features_in = booster.num_feature()
    model._objective = kept["objective"]
    model._best_iteration = kept["best_iteration"]
    model._best_score = {}
    model._evals_result = {}
    model.fitted_ = True
    if kept["classes"] is not None:
        _fill_classes(model, kept)


def _fill_classes(model: Any, kept: dict[str, Any]) -> None:
    import numpy as np
    from lightgbm.compat import _LGBMLabelEncoder

    classes = np.array(kept["classes"], dtype=kept["classes_type"])
    model._le = _LGBMLabelEncoder().fit(classes)
    model._classes = classes
    model._n_classes = len(classes)
    model._class_map = dict(zip(classes, range(len(classes)), strict=True))
    model._class_weight = None


class Model:
    """A booster or an estimator: both predict from data as they are."""

    def __init__(self, native: Any) -> None:
        self.native = native

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        return self.native.predict(data, **(params or {}))


def wrap(native: Any, flavors: dict[str, Any]) -> Model:
    del flavors
    return Model(native)


def _load_pyfunc(path: str) -> Model:
    flavors = yaml.safe_load((Path(path) / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    return wrap(load(path, flavors["lightgbm"]), flavors)
