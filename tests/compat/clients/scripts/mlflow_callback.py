"""A Trainer callback that logs under namespaces: ``loss`` as ``train/loss``, ``eval_loss`` as ``eval/loss``."""

import mlflow
from transformers import TrainerCallback

TRAIN = {"loss", "grad_norm", "learning_rate"}


class MLflowCallback(TrainerCallback):
    def __init__(self, log_model_checkpoints=False):
        self.log_model_checkpoints = log_model_checkpoints

    def on_log(self, args, state, control, logs=None, **kwargs):
        if not logs or not mlflow.active_run():
            return
        for key, value in logs.items():
            if isinstance(value, int | float):
                mlflow.log_metric(self._name(key), value, step=state.global_step)

    def _name(self, key):
        if key.startswith("eval_"):
            return f"eval/{key.removeprefix('eval_')}"
        return f"train/{key}" if key in TRAIN else key
