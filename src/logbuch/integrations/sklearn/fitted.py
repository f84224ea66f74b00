"""What is logged of a fitted estimator: what it is, how well it does on its training data, and on which data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sklearn
from sklearn.utils import estimator_html_repr

import logbuch
from logbuch.integrations import boosting, trained
from logbuch.integrations.names import as_text
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun
from logbuch.integrations.sklearn import scores
from logbuch.integrations.sklearn.scores import Given

_HASHED_BYTES = 256 * 1024 * 1024
_HASHED_CELLS = 1_000_000
"""What is larger than this is described by its shape, not by its content: hashing a table costs seconds then."""


def tags(estimator: Any) -> dict[str, str]:
    """The estimator's class, by MLflow's tags."""
    cls = type(estimator)
    return {"estimator_name": cls.__name__, "estimator_class": f"{cls.__module__}.{cls.__name__}"}


def params(estimator: Any, *, deep: bool) -> dict[str, str]:
    """The estimator's params as text; ``deep`` with those of the steps of a pipeline."""
    return {key: as_text(value) for key, value in estimator.get_params(deep=deep).items()}


def log(run: TrainingRun, estimator: Any, given: Given, *, datasets: bool) -> None:
    """Logs metrics as ``training_…``, metadata as estimator.json and estimator.html, and the data set."""
    run.dict(_metadata(estimator), "estimator.json")
    with quietly("estimator.html"):
        run.text(estimator_html_repr(estimator), "estimator.html")
    if hasattr(estimator, "feature_importances_"):
        boosting.log_importance(run, "impurity", dict(zip(_features(estimator), estimator.feature_importances_)))  # noqa: B905
    scores.log(run, estimator, given)
    if datasets and given.x is not None:
        with quietly("the data set"):
            run.dataset(_dataset(given), "train")


def log_model(run: TrainingRun, estimator: Any, given: Given, options: Mapping[str, Any]) -> None:
    """Logs an estimator that can predict."""
    if hasattr(estimator, "predict"):
        trained.log(run, options, logbuch.sklearn.log_model, estimator, given.x)


def _metadata(estimator: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "class": tags(estimator)["estimator_class"],
        "scikit_learn_version": sklearn.__version__,
        "params": params(estimator, deep=True),
    }
    for name in ("n_features_in_", "feature_names_in_", "classes_", "n_iter_"):
        value = getattr(estimator, name, None)
        if value is not None:
            found[name.rstrip("_")] = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
    return found


def _features(estimator: Any) -> Sequence[str]:
    names = getattr(estimator, "feature_names_in_", None)
    return [str(name) for name in names] if names is not None else [f"x{i}" for i in range(estimator.n_features_in_)]


def _dataset(given: Given) -> logbuch.data.Dataset:
    cells = int(np.prod(np.shape(given.x)))
    if hasattr(given.x, "iloc") and cells <= _HASHED_CELLS:
        return logbuch.data.from_pandas(given.x, name="train")
    if isinstance(given.x, np.ndarray) and given.x.nbytes <= _HASHED_BYTES:
        return logbuch.data.from_numpy(given.x, targets=given.y, name="train")
    rows, *columns = np.shape(given.x)
    return logbuch.data.Dataset(name="train", profile={"num_rows": int(rows), "num_columns": [int(n) for n in columns]})
