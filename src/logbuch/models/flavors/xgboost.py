"""XGBoost: boosters and estimators, in XGBoost's own formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models.carried import logbuch_model_xgboost as loader
from logbuch.models.flavors import calls
from logbuch.models.flavors.flavor import Flavor, Saved
from logbuch.models.recording import LoggedModelInfo


class Xgboost(Flavor):
    name = "xgboost"
    loader = loader
    packages = ("xgboost", "numpy", "pandas", "scikit-learn")

    def __init__(self, model_format: str = "ubj") -> None:
        if model_format not in ("ubj", "json"):
            raise InvalidInput(f"Invalid model_format {model_format!r}: it must be ubj or json.")
        self._format = model_format

    def write(self, model: Any, folder: Path) -> Saved:
        import xgboost

        if not isinstance(model, (xgboost.Booster, xgboost.XGBModel)):
            raise InvalidInput(f"{type(model).__name__} is no model of XGBoost.")
        known = type(model).__module__.partition(".")[0] == "xgboost"
        if not known:
            raise InvalidInput(f"{type(model).__name__} is a class of its own: give its booster, get_booster().")
        file = f"model.{self._format}"
        model.save_model(str(folder / file))
        entry = {
            "data": file,
            "model_class": f"{type(model).__module__}.{type(model).__name__}",
            "model_format": self._format,
            "xgb_version": xgboost.__version__,
            "code": None,
        }
        return Saved(entry)


def save_model(xgb_model: Any, path: str | Path, *, model_format: str = "ubj", **options: Any) -> None:
    """Saves a booster or an estimator to a folder, as ``ubj`` or ``json``."""
    calls.save(Xgboost(model_format), xgb_model, path, options)


def log_model(
    xgb_model: Any,
    artifact_path: str | None = None,
    *,
    name: str | None = None,
    model_format: str = "ubj",
    **options: Any,
) -> LoggedModelInfo:
    """Logs a booster or an estimator to the active run, as :func:`save_model` saves it."""
    return calls.log(Xgboost(model_format), xgb_model, artifact_path, name, options)


def load_model(model_uri: str | Path, *, allow_pickle: bool = False) -> Any:
    """The booster or the estimator of a model."""
    return calls.native("xgboost", model_uri, allow_pickle)
