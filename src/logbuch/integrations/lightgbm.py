"""LightGBM: a callback for ``lightgbm.train``, ``lightgbm.cv`` and the scikit-learn classes, and ``autolog``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import lightgbm

import logbuch
from logbuch.integrations import boosting, sessions, trained
from logbuch.integrations.library import Library
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun, training

IMPORTANCE_TYPES = ("split", "gain")


class LogbuchCallback:
    """Logs every round's metrics as ``<data>-<metric>`` (``-mean`` and ``-stdv`` of ``lightgbm.cv``), and the params.

    They go to the active run, else to one that lasts as long as the training. What is known only when the training is
    over, :func:`log_summary` logs: LightGBM tells a callback nothing of an early stop.
    """

    order = 20
    """After LightGBM has evaluated, before its early stopping may end the training."""

    def __init__(self, prefix: str = "", log_params: bool = True) -> None:
        self._prefix = prefix
        self._log_params = log_params
        self._run: TrainingRun | None = None

    def __call__(self, env: Any) -> None:
        run = self._run
        if run is None or env.iteration == env.begin_iteration:
            run = self._begin(env)
        with quietly("metrics"):
            run.metrics(_values(env.evaluation_result_list), step=env.iteration, prefix=self._prefix)
        if env.iteration == env.end_iteration - 1:
            run.end()

    def _begin(self, env: Any) -> TrainingRun:
        if self._run is not None:
            self._run.end()  # one that stopped early
        self._run = TrainingRun()
        if self._log_params:
            self._run.params(env.params)
        return self._run


def log_summary(model: Any, importance_types: Sequence[str] = IMPORTANCE_TYPES, run: TrainingRun | None = None) -> None:
    """Logs a booster's best round, the metrics it had, and its features' importance."""
    booster = model if isinstance(model, lightgbm.Booster) else model.booster_
    found = run or TrainingRun()
    scores = {f"{data}-{name}": value for data, by in booster.best_score.items() for name, value in by.items()}
    boosting.log_best(found, booster.best_iteration or None, scores)
    for kind in importance_types:
        weights = booster.feature_importance(importance_type=kind)
        boosting.log_importance(found, kind, dict(zip(booster.feature_name(), weights, strict=True)))


def patch(library: Library, _module: str) -> None:
    """Makes every training of LightGBM a run."""

    def train(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if sessions.inside():
            return original(*args, **kwargs)
        with sessions.entered(), training(tags=library.options.get("extra_tags")) as run:
            with quietly("the training's params"):
                call = inspect.signature(original).bind(*args, **kwargs)
                boosting.log_params(run, call.arguments)
                call.arguments["callbacks"] = boosting.with_callback(
                    call.arguments.get("callbacks"), lambda: LogbuchCallback(log_params=False), LogbuchCallback
                )
                args, kwargs = call.args, call.kwargs
            booster = original(*args, **kwargs)
            with quietly("the trained model's properties"):
                log_summary(booster, run=run)
                if library.options.get("log_datasets", True):
                    data = call.arguments["train_set"]
                    boosting.log_dataset(run, data.num_data(), data.num_feature(), data.get_feature_name())
            trained.log(run, library.options, logbuch.lightgbm.log_model, booster)
            return booster

    boosting.replace_train(library, "lightgbm", ("engine", "sklearn"), train)


def _values(results: Sequence[Any] | None) -> dict[str, float]:
    """The metrics of a round, from LightGBM's (data, metric, value, higher is better) and, of a cross-validation,
    deviation."""
    found: dict[str, float] = {}
    for data, metric, value, _, *deviation in results or ():
        if deviation:
            found[f"{data}-{metric}-mean"], found[f"{data}-{metric}-stdv"] = value, deviation[0]
        else:
            found[f"{data}-{metric}"] = value
    return found
