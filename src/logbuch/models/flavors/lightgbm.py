"""LightGBM: boosters and estimators, in LightGBM's own text format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models.carried import logbuch_model_lightgbm as loader
from logbuch.models.flavors import calls
from logbuch.models.flavors.flavor import Flavor, Saved
from logbuch.models.recording import LoggedModelInfo

_FILE, _ESTIMATOR = "model.txt", "estimator.json"
_CLASSES = ("LGBMClassifier", "LGBMRegressor", "LGBMRanker")


class Lightgbm(Flavor):
    name = "lightgbm"
    loader = loader
    packages = ("lightgbm", "numpy", "pandas", "scikit-learn")

    def write(self, model: Any, folder: Path) -> Saved:
        import lightgbm

        booster = model if isinstance(model, lightgbm.Booster) else getattr(model, "booster_", None)
        kind = type(model).__name__
        if booster is None or (booster is not model and kind not in _CLASSES):
            raise InvalidInput(f"{kind} is no model of LightGBM: a Booster or one of {', '.join(_CLASSES)} is wanted.")
        booster.save_model(str(folder / _FILE))
        entry: dict[str, Any] = {
            "data": _FILE,
            "model_class": "lightgbm.basic.Booster" if booster is model else f"lightgbm.sklearn.{kind}",
            "lgb_version": lightgbm.__version__,
            "code": None,
        }
        if booster is not model:
            entry["estimator"] = _ESTIMATOR
            _write_estimator(model, folder / _ESTIMATOR)
        return Saved(entry)


def _write_estimator(model: Any, file: Path) -> None:
    classes = getattr(model, "classes_", None)
    kept = {
        "params": {name: value for name, value in model.get_params().items() if name != "objective"},
        "objective": model.objective_,
        "best_iteration": model.best_iteration_,
        "classes": None if classes is None else classes.tolist(),
        "classes_type": None if classes is None else classes.dtype.str,
    }
    if callable(kept["objective"]):
        raise InvalidInput("An objective that is a function cannot be kept: give the booster, booster_.")
    kept["params"]["objective"] = model.get_params()["objective"]
    try:
        file.write_text(json.dumps(kept), encoding="utf-8")
    except TypeError as error:
        raise InvalidInput(f"The estimator's params cannot be kept without pickle: {error}") from None


def save_model(lgb_model: Any, path: str | Path, **options: Any) -> None:
    """Saves a booster or an estimator to a folder."""
    calls.save(Lightgbm(), lgb_model, path, options)


def log_model(
    lgb_model: Any, artifact_path: str | None = None, *, name: str | None = None, **options: Any
) -> LoggedModelInfo:
    """Logs a booster or an estimator to the active run, as :func:`save_model` saves it."""
    return calls.log(Lightgbm(), lgb_model, artifact_path, name, options)


def load_model(model_uri: str | Path, *, allow_pickle: bool = False) -> Any:
    """The booster or the estimator of a model."""
    return calls.native("lightgbm", model_uri, allow_pickle)
