"""What is logged of a fitted estimator: what it is, how well it does on its training data, and on which data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor
from sklearn.utils import estimator_html_repr

import logbuch
from logbuch.integrations import boosting
from logbuch.integrations.names import as_text
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun

_HASHED_BYTES = 256 * 1024 * 1024
_HASHED_CELLS = 1_000_000
"""What is larger than this is described by its shape, not by its content: hashing a table costs seconds then."""


@dataclass(frozen=True)
class Given:
    """The data of a call of ``fit``: ``x`` of n samples, ``y`` and ``weight`` None or of n values."""

    x: Any
    y: Any = None
    weight: Any = None

    @classmethod
    def of(cls, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Given:
        x = args[0] if args else kwargs.get("X")
        y = args[1] if len(args) > 1 else kwargs.get("y", kwargs.get("Y"))
        return cls(x, y, kwargs.get("sample_weight"))


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
    run.metrics(dict(_scores(estimator, given)), prefix="training_")
    if datasets and given.x is not None:
        with quietly("the data set"):
            run.dataset(_dataset(given), "train")


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


def _scores(estimator: Any, given: Given) -> Iterator[tuple[str, float]]:
    """Metrics on the training data, by MLflow's names; one that the data does not suit is left out."""
    if given.y is not None and hasattr(estimator, "predict"):
        if is_classifier(estimator):
            yield from _of_classes(estimator, given)
        elif is_regressor(estimator):
            yield from _of_values(estimator, given)
    if hasattr(estimator, "score") and not _is_plain(estimator):
        with quietly("training_score"):
            yield "score", float(estimator.score(given.x, given.y))


def _is_plain(estimator: Any) -> bool:
    """Whether the score is the accuracy or R², which are computed anyway."""
    return type(estimator).score in (ClassifierMixin.score, RegressorMixin.score)


def _of_classes(estimator: Any, given: Given) -> Iterator[tuple[str, float]]:
    guess, weight = estimator.predict(given.x), given.weight
    accuracy = float(metrics.accuracy_score(given.y, guess, sample_weight=weight))
    yield "accuracy_score", accuracy
    if _is_plain(estimator):
        yield "score", accuracy
    for name in ("precision_score", "recall_score", "f1_score"):
        measure = getattr(metrics, name)
        yield name, float(measure(given.y, guess, sample_weight=weight, average="weighted", zero_division=0))
    if hasattr(estimator, "predict_proba") and np.ndim(given.y) == 1:
        with quietly("training_log_loss"):
            yield from _of_probabilities(estimator, given)


def _of_probabilities(estimator: Any, given: Given) -> Iterator[tuple[str, float]]:
    chances, weight = estimator.predict_proba(given.x), given.weight
    yield "log_loss", float(metrics.log_loss(given.y, chances, labels=estimator.classes_, sample_weight=weight))
    two = chances.shape[1] == 2
    area = metrics.roc_auc_score(
        given.y, chances[:, 1] if two else chances, sample_weight=weight, average="weighted", multi_class="ovr"
    )
    yield "roc_auc", float(area)


def _of_values(estimator: Any, given: Given) -> Iterator[tuple[str, float]]:
    guess, weight = estimator.predict(given.x), given.weight
    r2 = float(metrics.r2_score(given.y, guess, sample_weight=weight))
    yield "r2_score", r2
    if _is_plain(estimator):
        yield "score", r2
    squared = float(metrics.mean_squared_error(given.y, guess, sample_weight=weight))
    yield "mean_squared_error", squared
    yield "root_mean_squared_error", squared**0.5
    yield "mean_absolute_error", float(metrics.mean_absolute_error(given.y, guess, sample_weight=weight))


def _dataset(given: Given) -> logbuch.data.Dataset:
    cells = int(np.prod(np.shape(given.x)))
    if hasattr(given.x, "iloc") and cells <= _HASHED_CELLS:
        return logbuch.data.from_pandas(given.x, name="train")
    if isinstance(given.x, np.ndarray) and given.x.nbytes <= _HASHED_BYTES:
        return logbuch.data.from_numpy(given.x, targets=given.y, name="train")
    rows, *columns = np.shape(given.x)
    return logbuch.data.Dataset(name="train", profile={"num_rows": int(rows), "num_columns": [int(n) for n in columns]})
