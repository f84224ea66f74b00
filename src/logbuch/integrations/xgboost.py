"""XGBoost: a callback for ``xgboost.train``, ``xgboost.cv`` and the scikit-learn classes, and ``autolog``."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xgboost

import logbuch
from logbuch.integrations import boosting, sessions, trained
from logbuch.integrations.library import Library
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun, training

IMPORTANCE_TYPES = ("weight", "gain")


class LogbuchCallback(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Logs every round's metrics as ``<data>-<metric>`` (``-mean`` and ``-std`` of ``xgboost.cv``), then the best
    round, the features' importance and the configuration.

    They go to the active run, else to one that lasts as long as the training. Of several workers the first one logs.
    ``importance_types`` are those of ``Booster.get_score``.
    """

    def __init__(self, importance_types: Sequence[str] = IMPORTANCE_TYPES, prefix: str = "") -> None:
        super().__init__()
        self._importance_types = tuple(importance_types)
        self._prefix = prefix
        self._run: TrainingRun | None = None

    def before_training(self, model: Any) -> Any:
        if _first_worker():
            self._run = TrainingRun()
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        if self._run is not None:
            self._run.metrics(_latest(evals_log), step=epoch, prefix=self._prefix)
        return False

    def after_training(self, model: Any) -> Any:
        run, self._run = self._run, None
        if run is not None:
            with quietly("the trained model's properties"):
                if isinstance(model, xgboost.Booster):
                    log_summary(model, self._importance_types, run)
            run.end()
        return model


def log_summary(model: Any, importance_types: Sequence[str] = IMPORTANCE_TYPES, run: TrainingRun | None = None) -> None:
    """Logs a booster's best round and its features' importance."""
    booster = model if isinstance(model, xgboost.Booster) else model.get_booster()
    found = run or TrainingRun()
    best = booster.attr("best_iteration")
    if best is not None:
        boosting.log_best(found, int(best), {"score": float(booster.attr("best_score"))})
    for kind in importance_types:
        with quietly(f"the importance of features by {kind}"):  # a linear booster has none
            boosting.log_importance(found, kind, booster.get_score(importance_type=kind))
    found.text(booster.save_config(), "xgboost_config.json")


def patch(library: Library, _module: str) -> None:
    """Makes every training of XGBoost a run."""

    def train(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if sessions.inside() or not _first_worker():
            return original(*args, **kwargs)
        with sessions.entered(), training(tags=library.options.get("extra_tags")) as run:
            own = boosting.with_callback(kwargs.get("callbacks"), LogbuchCallback, LogbuchCallback)
            with quietly("the training's params"):
                call = inspect.signature(original).bind(*args, **kwargs)
                boosting.log_params(run, call.arguments)
                if library.options.get("log_datasets", True):
                    data = call.arguments["dtrain"]
                    boosting.log_dataset(run, data.num_row(), data.num_col(), data.feature_names)
            booster = original(*args, **kwargs | {"callbacks": own})
            trained.log(run, library.options, logbuch.xgboost.log_model, booster)
            return booster

    boosting.replace_train(library, "xgboost", ("training", "sklearn"), train)


def _latest(evals_log: Mapping[str, Any]) -> dict[str, Any]:
    """The last value of each metric; those of a cross-validation are pairs of mean and deviation."""
    found: dict[str, Any] = {}
    for data, metrics in evals_log.items():
        for metric, values in metrics.items():
            last = values[-1] if values else None
            if isinstance(last, tuple):
                found[f"{data}-{metric}-mean"], found[f"{data}-{metric}-std"] = last
            else:
                found[f"{data}-{metric}"] = last
    return found


def _first_worker() -> bool:
    with contextlib.suppress(AttributeError):  # versions before 1.7
        return int(xgboost.collective.get_rank()) == 0
    return True
