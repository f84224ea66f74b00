"""Keras: a callback of ``fit``, and ``autolog``."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras

from logbuch.integrations import sessions
from logbuch.integrations.library import Library
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun, training


class LogbuchCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Logs every epoch's metrics by Keras' names and the learning rate, at the number of the epoch from 0; with
    ``log_every_n_steps`` also those of batches, as ``batch/…``, at the number of the batch.

    They go to the active run, else to one that lasts as long as the training. Params are the settings of ``fit``, the
    optimizer's as ``optimizer/…``, and the number of parameters; the layers are kept as model_summary.txt.
    """

    def __init__(self, log_every_n_steps: int | None = None) -> None:
        super().__init__()
        self._every = log_every_n_steps
        self._run: TrainingRun | None = None
        self._batches = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._run is not None:
            self._run.end()
        run = self._run = TrainingRun()
        self._batches = 0
        with quietly("the model"):
            settings = self.params or {}
            run.params({name: settings[name] for name in ("epochs", "steps") if settings.get(name) is not None})
            run.params(self.model.optimizer.get_config(), prefix="optimizer/")
            trained = sum(math.prod(weight.shape) for weight in self.model.trainable_weights)
            run.params({"total_parameters": self.model.count_params(), "trainable_parameters": trained})
        with quietly("model_summary.txt"):
            lines: list[str] = []
            self.model.summary(print_fn=lambda line, **_: lines.append(line))
            run.text("\n".join(lines) + "\n", "model_summary.txt")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._run is not None:
            self._run.metrics(dict(logs or {}) | self._learning_rate(), step=epoch)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._run is not None and self._every and self._batches % self._every == 0:
            self._run.metrics(logs or {}, step=self._batches, prefix="batch/")
        self._batches += 1

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._run is not None:
            self._run.end()

    def _learning_rate(self) -> dict[str, float]:
        found = {}
        with quietly("the learning rate"):
            found["learning_rate"] = float(self.model.optimizer.learning_rate)
        return found


def patch(library: Library, _module: str) -> None:
    """Makes every ``fit`` of a model a run."""

    def fit(original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        if sessions.inside():
            return original(model, *args, **kwargs)
        with sessions.entered(), training(tags=library.options.get("extra_tags")):
            with quietly("a training"):
                call = inspect.signature(original).bind(model, *args, **kwargs)
                call.arguments["callbacks"] = _with_ours(call.arguments.get("callbacks"), library)
                model, *args = call.args  # type: ignore[assignment]
                kwargs = call.kwargs
            return original(model, *args, **kwargs)

    owner = next(cls for cls in keras.Model.__mro__ if "fit" in vars(cls))
    library.patches.replace(owner, "fit", fit)


def _with_ours(given: Any, library: Library) -> Any:
    ours = LogbuchCallback(library.options.get("log_every_n_steps"))
    if isinstance(given, keras.callbacks.CallbackList):
        if not any(isinstance(known, LogbuchCallback) for known in given.callbacks):
            ours.set_model(given.model)
            given.callbacks.append(ours)
        return given
    callbacks = list(given) if isinstance(given, (list, tuple)) else [given] if given is not None else []
    return callbacks if any(isinstance(known, LogbuchCallback) for known in callbacks) else [*callbacks, ours]
