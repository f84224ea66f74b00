"""Hugging Face transformers: a callback of the Trainer, and ``autolog``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_callback import CallbackHandler

import logbuch
from logbuch.integrations import sessions
from logbuch.integrations.autolog import TRANSFORMERS
from logbuch.integrations.library import Library
from logbuch.integrations.quiet import quietly, warn
from logbuch.integrations.run import TrainingRun

_TRAINING = ("loss", "grad_norm", "learning_rate")


class LogbuchCallback(TrainerCallback):  # type: ignore[misc]
    """Logs what the Trainer logs: ``loss``, ``grad_norm`` and ``learning_rate`` as ``train/…``, ``eval_…`` as
    ``eval/…``, all else under its own name, at the Trainer's global step.

    It logs to the active run, else to one that lasts from the begin of a training to its end. Of several processes,
    only the world's first one logs. The arguments that are set (``log_args``), the model's configuration as ``model/…``
    with the adapter's as ``peft/…`` (``log_config``), and the number of parameters become params; a param that the run
    has already keeps its value. ``log_model_checkpoints`` keeps every checkpoint as files below ``checkpoints/``.

    Beside it the Trainer's own callback for MLflow (``report_to="mlflow"`` or ``"all"``) is taken away if it would
    log to the same place.
    """

    def __init__(self, log_model_checkpoints: bool = False, log_args: bool = True, log_config: bool = True) -> None:
        self.log_model_checkpoints = log_model_checkpoints
        self.log_args, self.log_config = log_args, log_config
        self.tags: Mapping[str, Any] = {}
        self._run: TrainingRun | None = None
        _stand_alone()

    @property
    def run_id(self) -> str | None:
        """The run that the last training has logged to."""
        return self._run.run_id if self._run is not None else None

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        if self._run is not None:
            self._run.end(_unfinished())
        self._run = TrainingRun(_name(args, state), self.tags)
        with quietly("the training's arguments"):
            if self.log_args:
                self._run.params(_arguments(args))
            self._run.params(getattr(state, "trial_params", None) or {})
        if model is not None:
            with quietly("the model's configuration"):
                self._log_model(self._run, model)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        if not state.is_world_process_zero or not logs:
            return
        if self._run is None:  # an evaluation without a training
            if logbuch.active_run() is None:
                return
            self._run = TrainingRun()
        self._run.metrics({_renamed(key): value for key, value in logs.items()}, step=state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not self.log_model_checkpoints or not state.is_world_process_zero or self._run is None:
            return
        name = f"checkpoint-{state.global_step}"
        self._run.artifacts(str(Path(args.output_dir) / name), f"checkpoints/{name}")

    def fail(self, error: BaseException) -> None:
        """Ends a run of the training's own that an exception has ended. Without this the end of the process does it."""
        if self._run is not None:
            self._run.end(error)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._run is not None:
            self._run.end()

    def _log_model(self, run: TrainingRun, model: Any) -> None:
        inner = getattr(model, "module", model)
        if self.log_config:
            config: Any = getattr(inner, "config", None)
            run.params(_set(config.to_dict()) if hasattr(config, "to_dict") else {}, prefix="model/")
            for name, adapter in (getattr(inner, "peft_config", None) or {}).items():
                run.params(_set(adapter.to_dict()), prefix="peft/" if name == "default" else f"peft/{name}/")
        total, trainable = _count(inner)
        run.params({"total_parameters": total, "trainable_parameters": trainable})


def patch(library: Library, module: str) -> None:
    """Gives every Trainer a callback, unless it logs to the same place already."""

    def __init__(original: Callable[..., Any], trainer: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        original(trainer, *args, **kwargs)
        with quietly("a training"):
            ours = any(isinstance(known, LogbuchCallback) for known in trainer.callback_handler.callbacks)
            if not ours and not any(map(_logs_to_the_same, trainer.callback_handler.callbacks)):
                callback = LogbuchCallback(**library.options.get("callback", {}))
                callback.tags = library.options.get("extra_tags") or {}
                trainer.add_callback(callback)

    def train(original: Callable[..., Any], trainer: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            with sessions.entered():
                return original(trainer, *args, **kwargs)
        except BaseException as error:
            for callback in trainer.callback_handler.callbacks:
                if isinstance(callback, LogbuchCallback):
                    callback.fail(error)
            raise

    library.patches.replace(sys.modules[module].Trainer, "train", train)
    library.patches.replace(sys.modules[module].Trainer, "__init__", __init__)


def _renamed(key: str) -> str:
    for prefix in ("eval", "test"):
        if key.startswith(f"{prefix}_"):
            return f"{prefix}/{key.removeprefix(f'{prefix}_')}"
    return f"train/{key}" if key in _TRAINING else key


def _name(args: Any, state: Any) -> str | None:
    """The name of a new run: a trial's, or the one that was chosen; the Trainer's default is the output folder."""
    chosen = getattr(args, "run_name", None)
    return getattr(state, "trial_name", None) or (chosen if chosen != args.output_dir else None)


def _arguments(args: Any) -> dict[str, Any]:
    """The Trainer's arguments, without tokens, and without those that are not set."""
    return _set({key: value for key, value in args.to_dict().items() if not key.endswith("_token")})


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _count(model: Any) -> tuple[int, int]:
    """All parameters and those that are trained. Of 4-bit weights peft counts what was packed."""
    if hasattr(model, "get_nb_trainable_parameters"):
        trainable, total = model.get_nb_trainable_parameters()
        return int(total), int(trainable)
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)


def _unfinished() -> RuntimeError:
    return RuntimeError("the training did not come to its end; another one has begun")


def _stand_alone() -> None:
    """Keeps transformers' own callback for MLflow from logging the same training a second time."""

    def add_callback(original: Callable[..., Any], handler: Any, callback: Any) -> Any:
        original(handler, callback)
        with quietly("a training"):
            if any(isinstance(known, LogbuchCallback) for known in handler.callbacks):
                _take_away(handler)

    TRANSFORMERS.beside.live = True
    TRANSFORMERS.beside.replace(CallbackHandler, "add_callback", add_callback)


def _take_away(handler: Any) -> None:
    left = [known for known in handler.callbacks if not _logs_to_the_same(known)]
    if len(left) < len(handler.callbacks):
        handler.callbacks[:] = left
        warn("the Trainer's MLflowCallback was taken away", "LogbuchCallback logs to the same place")


def _logs_to_the_same(callback: Any) -> bool:
    """Whether this is transformers' callback for MLflow, and MLflow logs to where Logbuch does."""
    mlflow: Any = sys.modules.get("mlflow")
    kind = type(callback)
    if kind.__name__ != "MLflowCallback" or not kind.__module__.startswith("transformers.") or mlflow is None:
        return False
    return bool(str(mlflow.get_tracking_uri()).rstrip("/") == logbuch.get_tracking_uri().rstrip("/"))
