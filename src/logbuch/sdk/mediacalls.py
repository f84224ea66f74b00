"""The functions of ``import logbuch`` for values beyond scalars that MLflow has no call for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logbuch.sdk.content import classification, media
from logbuch.sdk.content.histograms import BINS
from logbuch.sdk.target import target


def log_audio(
    audio: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    sample_rate: int | None = None,
    run_id: str | None = None,
) -> None:
    """Keeps a sound under a name, or under a ``key`` as one of a series over steps.

    ``audio`` is the path or the bytes of a file, or samples with their ``sample_rate`` in Hz: (time,), (time, channels)
    or (channels, time), floats from -1 to 1 or whole numbers of 16 bits.
    """
    media.log_audio(*target(run_id), audio, artifact_file, key, step, timestamp, sample_rate)


def log_histogram(
    key: str,
    values: Any,
    step: int | None = None,
    bins: int = BINS,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Logs a histogram of a list, an array or a tensor, or one that is there: a tuple of counts and edges, as
    numpy.histogram returns it."""
    media.log_histogram(*target(run_id), key, values, step, timestamp, bins)


def log_confusion_matrix(
    y_true: Any = None,
    y_pred: Any = None,
    labels: Sequence[Any] | None = None,
    matrix: Any = None,
    key: str = "confusion_matrix",
    step: int | None = None,
    run_id: str | None = None,
) -> None:
    """Logs which classes were taken for which, from true and predicted ones, or from a ``matrix`` that has been counted
    already: rows are true, columns predicted classes."""
    media.log_confusion_matrix(*target(run_id), y_true, y_pred, matrix, labels, key, step)


def log_pr_curve(
    y_true: Any,
    y_score: Any,
    labels: Sequence[Any] | None = None,
    key: str = "pr_curve",
    step: int | None = None,
    run_id: str | None = None,
) -> None:
    """Logs precision over recall. ``y_score`` holds the scores of the positive class, which is the last label, or a
    column for each class."""
    found = classification.pr_curve(y_true, y_score, labels)
    media.log_json(*target(run_id), media.PR_CURVE, key, step, None, found)


def log_roc_curve(
    y_true: Any,
    y_score: Any,
    labels: Sequence[Any] | None = None,
    key: str = "roc_curve",
    step: int | None = None,
    run_id: str | None = None,
) -> None:
    """Logs a ROC curve; see :func:`log_pr_curve`."""
    found = classification.roc_curve(y_true, y_score, labels)
    media.log_json(*target(run_id), media.ROC_CURVE, key, step, None, found)
