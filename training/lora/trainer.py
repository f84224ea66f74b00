"""The Trainer, with a validation loss by token, measured speed and checkpoints that are whole or not there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import checkpoints
import torch
from callbacks import Meter
from config import TrainingConfig
from loading import Numbers
from losses import Total, add, row_losses
from problems import Problem
from safetensors import SafetensorError
from transformers import Trainer, TrainingArguments


def training_arguments(config: TrainingConfig, numbers: Numbers, folder: Path, *, new: bool) -> TrainingArguments:
    """The configuration as the Trainer knows it. A new training is evaluated before its first step: as the adapter
    does nothing yet, that is the base model."""
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.num_epochs,
        max_steps=config.max_steps,
        per_device_train_batch_size=config.per_device_train_batch_size,
        per_device_eval_batch_size=config.per_device_eval_batch_size,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.lr_scheduler_type,
        warmup_steps=config.warmup_steps,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim=numbers.optimizer,
        seed=config.seed,
        bf16=numbers.precision == "bf16" and numbers.device == "cuda",
        fp16=numbers.precision == "fp16",
        use_cpu=numbers.device == "cpu",
        activation_checkpointing=config.use_gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if config.use_gradient_checkpointing else None,
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,
        eval_strategy="steps",
        eval_steps=config.eval_steps,
        eval_on_start=new,
        save_strategy="steps",
        save_steps=config.save_steps,
        save_total_limit=config.save_total_limit,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=numbers.device == "cuda",
        disable_tqdm=True,
    )


class LoraTrainer(Trainer):  # type: ignore[misc]
    """A Trainer for answers."""

    def __init__(self, *, meter: Meter, **more: Any) -> None:
        self.meter = meter
        self.control: Any
        super().__init__(**more)
        meter.processes = self.args.world_size
        self.add_callback(meter)

    def training_step(self, model: Any, inputs: Any, *more: Any, **others: Any) -> torch.Tensor:
        self.meter.count(inputs)
        loss: torch.Tensor = super().training_step(model, inputs, *more, **others)
        return loss

    def log(self, logs: dict[str, float], *more: Any, **others: Any) -> None:
        if "loss" in logs:
            logs = logs | self.meter.lap()
        elif "train_loss" in logs:
            logs = logs | {"train_loss": train_loss(self.state.log_history)}
        super().log(logs, *more, **others)

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Loss and perplexity by learned token over all rows, logged at the current step. (The Trainer's own is a mean
        over batches, in which the tokens of short answers weigh more.)"""
        begun = time.perf_counter()
        total, rows = self.measure(eval_dataset)
        seconds = time.perf_counter() - begun
        found = {
            f"{metric_key_prefix}_loss": total.mean,
            f"{metric_key_prefix}_perplexity": total.perplexity,
            f"{metric_key_prefix}_runtime": seconds,
            f"{metric_key_prefix}_samples_per_second": rows / seconds,
        }
        self.log(found)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        return found

    def measure(self, eval_dataset: Any = None) -> tuple[Total, int]:
        """The loss of all rows, of every process, and how many they are; nothing is logged."""
        total, rows = Total(), 0
        self.model.eval()
        for batch in self.get_eval_dataloader(eval_dataset):
            sums, counts = self.accelerator.gather_for_metrics(row_losses(self.model, self._prepare_inputs(batch)))
            add(total, sums.tolist(), counts.tolist())
            rows += len(sums)
        return total, rows

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Saves a checkpoint; one that cannot be written whole is removed and ends the training."""
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        try:
            if self.is_world_process_zero():
                self.meter.keep(folder)  # before the Trainer's own state, which makes a checkpoint whole
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as error:
            checkpoints.remove(folder)
            raise Problem(f"cannot write the checkpoint {folder}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """An error in one line; of an operating system's its own words."""
    said = getattr(error, "strerror", None) or next(iter(str(error).splitlines()), "")
    return said or type(error).__name__


def train_loss(history: list[dict[str, float]]) -> float:
    """The mean loss of all steps, of those before a resume too. (The Trainer's own counts a resumed training's steps
    only, and divides by all.)"""
    total, last = 0.0, 0
    for entry in history:
        if "loss" in entry:
            total += entry["loss"] * (entry["step"] - last)
            last = int(entry["step"])
    return total / last if last else float("nan")
