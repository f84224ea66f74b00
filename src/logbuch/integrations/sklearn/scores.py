"""How well a fitted estimator does on its training data, by MLflow's names: ``training_accuracy_score`` and so on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor

import logbuch
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun

_CURVE_SAMPLES = 50_000
"""Curves of more samples would take seconds."""


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


def log(run: TrainingRun, estimator: Any, given: Given) -> None:
    """Logs the metrics that suit the estimator; one that the data does not suit is left out."""
    judged = _Judged(estimator, given)
    if given.y is not None and hasattr(estimator, "predict"):
        if is_classifier(estimator):
            run.metrics(dict(_of_classes(judged)), prefix="training_")
            _log_curves(run, judged)
        elif is_regressor(estimator):
            run.metrics(dict(_of_values(judged)), prefix="training_")
    if hasattr(estimator, "score") and not judged.plain:
        with quietly("training_score"):
            run.metrics({"training_score": float(estimator.score(given.x, given.y))})


@dataclass(frozen=True)
class _Judged:
    """An estimator and what it says of the data it was fitted to."""

    estimator: Any
    given: Given

    @property
    def plain(self) -> bool:
        """Whether its score is the accuracy or R², which are computed anyway."""
        return type(self.estimator).score in (ClassifierMixin.score, RegressorMixin.score)

    @cached_property
    def guess(self) -> Any:
        return self.estimator.predict(self.given.x)

    @cached_property
    def chances(self) -> Any:
        """Probabilities (samples, classes); None if the estimator has none, or several outputs."""
        if not hasattr(self.estimator, "predict_proba") or np.ndim(self.given.y) != 1:
            return None
        return self.estimator.predict_proba(self.given.x)


def _of_classes(judged: _Judged) -> Iterator[tuple[str, float]]:
    truth, weight = judged.given.y, judged.given.weight
    accuracy = float(metrics.accuracy_score(truth, judged.guess, sample_weight=weight))
    yield "accuracy_score", accuracy
    if judged.plain:
        yield "score", accuracy
    for name in ("precision_score", "recall_score", "f1_score"):
        measure = getattr(metrics, name)
        yield name, float(measure(truth, judged.guess, sample_weight=weight, average="weighted", zero_division=0))
    with quietly("training_log_loss"):
        yield from _of_probabilities(judged)


def _of_probabilities(judged: _Judged) -> Iterator[tuple[str, float]]:
    truth, weight, chances = judged.given.y, judged.given.weight, judged.chances
    if chances is None:
        return
    yield "log_loss", float(metrics.log_loss(truth, chances, labels=judged.estimator.classes_, sample_weight=weight))
    area = metrics.roc_auc_score(
        truth,
        chances[:, 1] if chances.shape[1] == 2 else chances,
        sample_weight=weight,
        average="weighted",
        multi_class="ovr",
    )
    yield "roc_auc", float(area)


def _log_curves(run: TrainingRun, judged: _Judged) -> None:
    """The confusion matrix, and for probabilities the ROC and PR curves."""
    truth, classes = judged.given.y, judged.estimator.classes_
    if np.ndim(truth) != 1 or len(truth) > _CURVE_SAMPLES or run.run_id is None:
        return
    names = classes.tolist()
    with quietly("the confusion matrix"):
        counts = metrics.confusion_matrix(truth, judged.guess, labels=classes)
        logbuch.log_confusion_matrix(
            matrix=counts.tolist(), labels=names, key="training_confusion_matrix", run_id=run.run_id
        )
    with quietly("curves"):
        if judged.chances is not None:
            scores = judged.chances[:, 1] if len(names) == 2 else judged.chances
            for log_curve, key in ((logbuch.log_roc_curve, "training_roc"), (logbuch.log_pr_curve, "training_pr")):
                log_curve(truth, scores, labels=names, key=key, run_id=run.run_id)


def _of_values(judged: _Judged) -> Iterator[tuple[str, float]]:
    truth, weight = judged.given.y, judged.given.weight
    r2 = float(metrics.r2_score(truth, judged.guess, sample_weight=weight))
    yield "r2_score", r2
    if judged.plain:
        yield "score", r2
    squared = float(metrics.mean_squared_error(truth, judged.guess, sample_weight=weight))
    yield "mean_squared_error", squared
    yield "root_mean_squared_error", squared**0.5
    yield "mean_absolute_error", float(metrics.mean_absolute_error(truth, judged.guess, sample_weight=weight))
