"""How good a classification is: confusion matrices, precision over recall, and ROC curves, as plain numbers.

Definitions are scikit-learn's: average precision sums precision over the steps of recall; the area under a ROC curve is
by the trapezoidal rule. Curves are thinned to at most 1,000 points, their areas are of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from logbuch.errors import InvalidInput

POINTS = 1000
LABELS = 1000


def confusion_matrix(y_true: Any, y_pred: Any, matrix: Any, labels: Sequence[Any] | None) -> dict[str, Any]:
    """Labels, and a matrix whose rows are true and whose columns are predicted classes."""
    if (matrix is None) == (y_true is None or y_pred is None):
        raise InvalidInput("Give either y_true and y_pred, or matrix.")
    if matrix is not None:
        return _given(_rows(matrix), labels)
    truth, guess = _listed(y_true, "y_true"), _listed(y_pred, "y_pred")
    if len(truth) != len(guess):
        raise InvalidInput(f"y_true and y_pred must be of the same length, not {len(truth)} and {len(guess)}.")
    names = list(labels) if labels is not None else _sorted({*truth, *guess})
    _check_labels(names)
    at = {name: number for number, name in enumerate(names)}
    counts = [[0] * len(names) for _ in names]
    for real, found in zip(truth, guess, strict=True):
        if real in at and found in at:  # others were not asked for
            counts[at[real]][at[found]] += 1
    return {"labels": [str(name) for name in names], "matrix": counts}


def pr_curve(y_true: Any, y_score: Any, labels: Sequence[Any] | None) -> dict[str, Any]:
    """Precision and recall at falling thresholds, for each class."""
    return {"curves": [_pr(*one) for one in _classes(y_true, y_score, labels)]}


def roc_curve(y_true: Any, y_score: Any, labels: Sequence[Any] | None) -> dict[str, Any]:
    """False and true positive rates at falling thresholds, for each class."""
    return {"curves": [_roc(*one) for one in _classes(y_true, y_score, labels)]}


def _given(rows: list[list[Any]], labels: Sequence[Any] | None) -> dict[str, Any]:
    names = [str(label) for label in labels] if labels is not None else [str(number) for number in range(len(rows))]
    _check_labels(names)
    if any(len(row) != len(rows) for row in rows) or len(names) != len(rows):
        raise InvalidInput("A confusion matrix must be square, with a label for each class.")
    return {"labels": names, "matrix": rows}


def _classes(y_true: Any, y_score: Any, labels: Sequence[Any] | None) -> list[tuple[str, list[bool], list[float]]]:
    """Each class against the rest: its name, what is of it, and the scores."""
    truth, scores = _listed(y_true, "y_true"), _listed(y_score, "y_score")
    if not truth or len(truth) != len(scores):
        raise InvalidInput(f"y_true and y_score must be of the same length, not {len(truth)} and {len(scores)}.")
    if not isinstance(scores[0], list):
        names = list(labels) if labels is not None else _sorted(set(truth))
        if len(names) > 2:
            raise InvalidInput(f"Scores of {len(names)} classes need a column for each of them.")
        positive = names[-1]
        return [(str(positive), [value == positive for value in truth], _floats(scores))]
    names = list(labels) if labels is not None else list(range(len(scores[0])))
    _check_labels(names)
    if any(len(row) != len(names) for row in scores):
        raise InvalidInput(f"y_score must have a column for each of the {len(names)} classes.")
    if set(truth) <= set(range(len(names))) and not set(truth) <= set(names):
        truth = [names[value] for value in truth]  # classes by their numbers
    return [
        (str(name), [value == name for value in truth], _floats([row[at] for row in scores]))
        for at, name in enumerate(names)
    ]


def _counted(positive: list[bool], scores: list[float]) -> list[tuple[float, int, int]]:
    """Threshold, true and false positives, at each score from the highest to the lowest."""
    found: list[tuple[float, int, int]] = []
    true = false = 0
    for at in sorted(range(len(scores)), key=lambda at: -scores[at]):
        true, false = true + positive[at], false + (not positive[at])
        if found and found[-1][0] == scores[at]:
            found[-1] = (scores[at], true, false)
        else:
            found.append((scores[at], true, false))
    return found


def _pr(label: str, positive: list[bool], scores: list[float]) -> dict[str, Any]:
    total = sum(positive)
    points = [
        (score, true / (true + false), true / total if total else 0.0)
        for score, true, false in _counted(positive, scores)
    ]
    area, before = 0.0, 0.0
    for _, precision, recall in points:
        area += (recall - before) * precision
        before = recall
    shown = _thinned(points)
    return {
        "label": label,
        "thresholds": [point[0] for point in shown],
        "precision": [point[1] for point in shown],
        "recall": [point[2] for point in shown],
        "average_precision": area,
        "positives": total,
        "total": len(positive),
    }


def _roc(label: str, positive: list[bool], scores: list[float]) -> dict[str, Any]:
    total = sum(positive)
    rest = len(positive) - total
    points: list[tuple[float | None, float, float]] = [(None, 0.0, 0.0)]
    points += [
        (score, false / rest if rest else 0.0, true / total if total else 0.0)
        for score, true, false in _counted(positive, scores)
    ]
    area = sum((right[1] - left[1]) * (right[2] + left[2]) / 2 for left, right in pairwise(points))
    shown = _thinned(points)
    return {
        "label": label,
        "thresholds": [point[0] for point in shown],
        "fpr": [point[1] for point in shown],
        "tpr": [point[2] for point in shown],
        "auc": area,
        "positives": total,
        "total": len(positive),
    }


def _thinned(points: list[Any]) -> list[Any]:
    if len(points) <= POINTS:
        return points
    return [points[number * (len(points) - 1) // (POINTS - 1)] for number in range(POINTS)]


def _rows(matrix: Any) -> list[list[Any]]:
    rows = _listed(matrix, "matrix")
    if not rows or not all(isinstance(row, (list, tuple)) for row in rows):
        raise InvalidInput("A confusion matrix must be square, with a label for each class.")
    if not all(isinstance(value, (int, float)) for row in rows for value in row):
        raise InvalidInput("The cells of a confusion matrix must be numbers.")
    return [list(row) for row in rows]


def _listed(given: Any, name: str) -> list[Any]:
    """A list of plain values, from lists, arrays, tensors and columns of tables."""
    if hasattr(given, "detach"):
        given = given.detach().cpu()
    if hasattr(given, "tolist"):
        given = given.tolist()
    if not isinstance(given, (list, tuple)):
        raise InvalidInput(f"{name} must be a list or an array, not a {type(given).__name__}.")
    return [_plain(value) for value in given]


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _floats(scores: list[Any]) -> list[float]:
    try:
        found = [float(score) for score in scores]
    except (TypeError, ValueError):
        raise InvalidInput("y_score must hold numbers.") from None
    if any(score != score for score in found):
        raise InvalidInput("y_score must not hold NaN.")
    return found


def _sorted(names: set[Any]) -> list[Any]:
    try:
        return sorted(names)
    except TypeError:
        return sorted(names, key=str)


def _check_labels(names: Sequence[Any]) -> None:
    if not 1 <= len(names) <= LABELS or len(set(names)) != len(names):
        raise InvalidInput(f"There must be 1 to {LABELS} different labels.")
