"""scikit-learn: estimators and pipelines, kept by skops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models import trusted
from logbuch.models.carried import logbuch_model_sklearn as loader
from logbuch.models.flavors import calls
from logbuch.models.flavors.flavor import Flavor, Saved
from logbuch.models.recording import LoggedModelInfo

_FILE = "model.skops"


class Sklearn(Flavor):
    name = "sklearn"
    loader = loader
    packages = ("scikit-learn", "skops", "numpy", "scipy", "pandas")

    def __init__(self, predict_fn: str = "predict", trusted_types: Sequence[str] = ()) -> None:
        self._predict_fn = predict_fn
        self._trusted = list(trusted_types)

    def write(self, model: Any, folder: Path) -> Saved:
        import sklearn
        import skops.io

        if not hasattr(model, self._predict_fn):
            raise InvalidInput(f"{type(model).__name__} has no method {self._predict_fn!r} to predict with.")
        skops.io.dump(model, folder / _FILE)
        unknown = trusted.unknown_types(folder / _FILE)
        strange = [name for name in unknown if name not in self._trusted and not trusted.is_harmless(name)]
        if strange:
            raise InvalidInput(
                f"The model holds {', '.join(strange)}, which loading would run: give skops_trusted_types={strange!r} "
                "if they are meant."
            )
        entry = {
            "pickled_model": _FILE,
            "serialization_format": "skops",
            "skops_trusted_types": unknown or None,
            "sklearn_version": sklearn.__version__,
            "code": None,
        }
        return Saved(entry, {"model_path": _FILE, "predict_fn": self._predict_fn})


def save_model(
    sk_model: Any,
    path: str | Path,
    *,
    pyfunc_predict_fn: str = "predict",
    skops_trusted_types: Sequence[str] = (),
    **options: Any,
) -> None:
    """Saves an estimator or pipeline to a folder. ``skops_trusted_types`` are types and functions of others that the
    model refers to; loading it then needs ``allow_pickle``."""
    calls.save(Sklearn(pyfunc_predict_fn, skops_trusted_types), sk_model, path, options)


def log_model(
    sk_model: Any,
    artifact_path: str | None = None,
    *,
    name: str | None = None,
    pyfunc_predict_fn: str = "predict",
    skops_trusted_types: Sequence[str] = (),
    **options: Any,
) -> LoggedModelInfo:
    """Logs an estimator or pipeline to the active run, as :func:`save_model` saves it."""
    return calls.log(Sklearn(pyfunc_predict_fn, skops_trusted_types), sk_model, artifact_path, name, options)


def load_model(model_uri: str | Path, *, allow_pickle: bool = False) -> Any:
    """The estimator or pipeline of a model."""
    return calls.native("sklearn", model_uri, allow_pickle)
