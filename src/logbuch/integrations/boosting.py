"""What trainings of boosted trees have in common: params, points, the best round, the weight of features."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import logbuch
from logbuch.integrations.library import Library
from logbuch.integrations.names import as_number, as_text
from logbuch.integrations.patches import Around
from logbuch.integrations.run import TrainingRun

_NOT_PARAMS = frozenset(
    "params dtrain train_set evals valid_sets valid_names obj feval custom_metric evals_result callbacks xgb_model "
    "init_model".split()
)


def log_params(run: TrainingRun, arguments: Mapping[str, Any]) -> None:
    """The params of a call of ``train``: the booster's, and the call's own; data, functions and what is not set are no
    params."""
    found = {name: value for name, value in arguments.items() if name not in _NOT_PARAMS}
    found |= dict(arguments.get("params") or {})
    run.params({name: value for name, value in found.items() if value is not None})


def log_dataset(run: TrainingRun, rows: int, columns: int, names: Sequence[str] | None) -> None:
    """The shape of the training data and the names of its columns."""
    schema = {"columns": [str(name) for name in names]} if names else None
    profile = {"num_rows": int(rows), "num_columns": int(columns)}
    run.dataset(logbuch.data.Dataset(name="train", schema=schema, profile=profile), "train")


def log_best(run: TrainingRun, iteration: int | None, scores: Mapping[str, Any]) -> None:
    """The best round, and the metrics it had, as ``best_…``."""
    if iteration is not None and iteration >= 0:
        run.metrics({"best_iteration": iteration})
    run.metrics(scores, prefix="best_")


def log_importance(run: TrainingRun, kind: str, weights: Mapping[str, Any]) -> None:
    """How much each feature counts, the heaviest first, in ``feature_importance_<kind>.json``."""
    known = {as_text(name): as_number(weight) or 0.0 for name, weight in weights.items()}
    ordered = dict(sorted(known.items(), key=lambda item: -item[1]))
    run.dict(ordered, f"feature_importance_{kind}.json")


def with_callback(given: Sequence[Any] | None, own: Callable[[], Any], kind: type) -> list[Any]:
    """The callbacks of a call, and one of our own if none of this kind is among them."""
    callbacks = list(given or ())
    return callbacks if any(isinstance(known, kind) for known in callbacks) else [*callbacks, own()]


def replace_train(library: Library, package: str, inner: Iterable[str], around: Around) -> None:
    """Replaces ``train`` in a package and in those of its modules that have a name of their own for it."""
    for module in (package, *(f"{package}.{name}" for name in inner)):
        library.patches.replace(sys.modules[module], "train", around)
