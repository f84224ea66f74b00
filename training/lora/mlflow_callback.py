"""The callback that hands what the Trainer logs to the active run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tracking
from transformers import TrainerCallback

_TRAINING = ("loss", "grad_norm", "learning_rate")


class MLflowCallback(TrainerCallback):  # type: ignore[misc]
    """Logs to the active run, at the Trainer's global step. Without a run it does nothing.

    ``loss`` becomes ``train/loss``, likewise ``grad_norm`` and ``learning_rate``; ``eval_loss`` becomes ``eval/loss``;
    ``epoch`` and all else keep their names. What is not a number is left out. With ``log_model_checkpoints`` every
    checkpoint is kept below ``checkpoints/``.
    """

    def __init__(self, log_model_checkpoints: bool = False) -> None:
        self.log_model_checkpoints = log_model_checkpoints

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero and not tracking.active():
            print("No active run: metrics are not logged.")

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        if not state.is_world_process_zero or not logs:
            return
        numbers = {_name(key): float(value) for key, value in logs.items() if isinstance(value, int | float)}
        tracking.log_metrics(numbers, state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not self.log_model_checkpoints or not state.is_world_process_zero or not tracking.active():
            return
        name = f"checkpoint-{state.global_step}"
        with tracking.quietly(name):
            tracking.mlflow.log_artifacts(str(Path(args.output_dir) / name), artifact_path=f"checkpoints/{name}")


def create_mlflow_callback(log_model_checkpoints: bool = False) -> MLflowCallback:
    """A callback for ``Trainer(callbacks=[…])``; start a run before."""
    return MLflowCallback(log_model_checkpoints)


def _name(key: str) -> str:
    if key.startswith("eval_"):
        return f"eval/{key.removeprefix('eval_')}"
    return f"train/{key}" if key in _TRAINING else key
