"""Fine-tune a causal language model with LoRA on questions and answers, and log it.

    python train_lora.py --lora_config standard
    python train_lora.py --lora_config aggressive --learning_rate 0.0001
    python train_lora.py --lora_config standard --resume

The tracker is that of LOGBUCH_TRACKING_URI, else http://localhost:5000. Without one, or with --no_mlflow, the training
is the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import card
import checkpoints
import rows
import torch
import tracking
from adapters import log_adapter
from callbacks import Meter, Samples, Stopper, Taken, Watch
from config import Job, parse
from encoding import Collator, Encoded, encode, pack
from loading import Numbers, add_lora, choose_numbers, load_base, load_tokenizer
from losses import perplexity
from problems import Problem
from tracking import Terminated
from trainer import LoraTrainer, reason, train_loss, training_arguments
from transformers import set_seed
from utils import count_parameters, create_mlflow_callback, setup_mlflow

_LESS_MEMORY = (
    "lower --per_device_train_batch_size and raise --gradient_accumulation_steps, or --use_gradient_checkpointing true"
)


@dataclass(frozen=True)
class Data:
    """Training and validation rows as tokens, and the hash of their files."""

    train: Encoded
    validation: Encoded
    sha256: str


def main(arguments: Sequence[str] | None = None) -> int:
    job = parse(arguments)
    try:
        with alone(job):
            experiment_id = setup_mlflow(job.config) if job.tracking and tracking.is_main_process() else None
            with tracking.run(job, experiment_id, resumed=job.resume is not None):
                train(job)
    except Problem as problem:
        print(f"train_lora.py: {problem}", file=sys.stderr)
        return 2
    except Terminated:
        print(f"Ended by SIGTERM. Go on with --resume; the checkpoints are in {job.folder}.", file=sys.stderr)
        return 143
    except KeyboardInterrupt:
        print(f"Interrupted. Go on with --resume; the checkpoints are in {job.folder}.", file=sys.stderr)
        return 130
    return 0


def alone(job: Job) -> AbstractContextManager[None]:
    """The folder is this training's; of several processes the first one says so."""
    return checkpoints.claimed(job.folder) if tracking.is_main_process() else nullcontext()


def train(job: Job) -> None:
    config = job.config
    set_seed(config.seed)
    numbers = choose_numbers(config)
    tokenizer = load_tokenizer(config.model_name)
    data = read_data(job, tokenizer)
    model = add_lora(load_base(config, numbers, tokenizer), job.lora, config, numbers)
    main_process = tracking.is_main_process()
    checkpoint = checkpoints.begin(job, data.sha256) if main_process else checkpoints.chosen(job)
    tracking.note_run(job.folder)
    facts = hyperparameters(job, numbers, model, data)
    tracking.log_params(facts)

    meter, stopper = Meter(), Stopper()
    trainer = LoraTrainer(
        meter=meter,
        model=model,
        args=training_arguments(config, numbers, job.folder, new=checkpoint is None),
        train_dataset=pack(data.train.examples, config.max_seq_length) if config.packing else data.train.examples,
        eval_dataset=data.validation.examples,
        data_collator=Collator(tokenizer.pad_token_id, packed=config.packing),
        processing_class=tokenizer,
        callbacks=[
            create_mlflow_callback(log_model_checkpoints=config.log_model_checkpoints),
            Samples(tokenizer, data.validation.rows[: config.sample_count], config.sample_tokens),
            Watch(),
            stopper,
        ],
    )
    meter.start(checkpoint)
    with stopper.listening():
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except torch.OutOfMemoryError as error:
            raise Problem(f"out of memory: {_LESS_MEMORY}") from error
        if stopper.asked:
            raise Terminated
    results = final_metrics(trainer, meter.taken())
    tracking.log_metrics(results, trainer.state.global_step)
    if main_process:
        save(job, trainer, facts, results)
        log_adapter(job, numbers, model, tokenizer)
        print(f"Validation loss {results['base_eval_loss']:.4f} → {results['final_eval_loss']:.4f} in {job.folder}")


def read_data(job: Job, tokenizer: Any) -> Data:
    config = job.config
    template = tokenizer.apply_chat_template if getattr(tokenizer, "chat_template", None) else None
    found = []
    for path, limit, context in (
        (config.train_path, config.max_train_rows, "training"),
        (config.validation_path, config.max_validation_rows, "validation"),
    ):
        read = rows.read(path, limit, template)
        encoded = encode(read, tokenizer, config.max_seq_length, config.too_long)
        tracking.log_data(path, context, len(encoded.rows))
        dropped = f", {encoded.dropped} too long" if encoded.dropped else ""
        print(f"{path}: {len(encoded.rows)} rows, {encoded.tokens} tokens, {encoded.learned} learned{dropped}")
        found.append(encoded)
    train, validation = found
    return Data(train, validation, rows.digest([config.train_path, config.validation_path]))


def hyperparameters(job: Job, numbers: Numbers, model: Any, data: Data) -> dict[str, Any]:
    """What is logged before the first step; it does not change."""
    config, lora = job.config, job.lora
    counted = count_parameters(model)
    return {
        "model_name": config.model_name,
        "lora_rank": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "lora_target_modules": ",".join(lora.target_modules),
        "effective_scaling": lora.effective_scaling,
        "learning_rate": config.learning_rate,
        "batch_size": config.per_device_train_batch_size,
        "gradient_accumulation_steps": config.gradient_accumulation_steps,
        "effective_batch_size": config.effective_batch_size,
        "num_epochs": config.num_epochs,
        "max_seq_length": config.max_seq_length,
        "use_4bit": numbers.use_4bit,
        "use_gradient_checkpointing": config.use_gradient_checkpointing,
        "warmup_steps": config.warmup_steps,
        "lr_scheduler": config.lr_scheduler_type,
        "total_parameters": counted["total"],
        "trainable_parameters": counted["trainable"],
        "trainable_percentage": f"{counted['percentage']:.2f}",
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "max_steps": config.max_steps,
        "optimizer": numbers.optimizer,
        "precision": numbers.precision,
        "device": numbers.device,
        "packing": config.packing,
        "seed": config.seed,
        "data_sha256": data.sha256,
        "train_rows": len(data.train.rows),
        "validation_rows": len(data.validation.rows),
        "dropped_rows": data.train.dropped + data.validation.dropped,
        "train_tokens": data.train.tokens,
        "learned_tokens": data.train.learned,
    }


def final_metrics(trainer: LoraTrainer, taken: Taken) -> dict[str, float]:
    """The results of the best checkpoint, which the Trainer has loaded. Seconds and speed are of the whole training,
    but for steps that a resume had to do again."""
    history = trainer.state.log_history
    best = trainer.measure()[0].mean
    base = next((entry["eval_loss"] for entry in history if "eval_loss" in entry and entry["step"] == 0), float("nan"))
    return {
        "final_train_loss": train_loss(history),
        "final_eval_loss": best,
        "final_perplexity": perplexity(best),
        "train_runtime_seconds": taken.seconds,
        "samples_per_second": taken.rows / taken.seconds,
        "base_eval_loss": base,
        "base_perplexity": perplexity(base),
    }


def save(job: Job, trainer: LoraTrainer, facts: dict[str, Any], results: dict[str, float]) -> None:
    """Adapter, tokenizer, arguments and model card, into place when all of them are written."""
    written = job.folder / ".saving"
    try:
        trainer.save_model(str(written))
        card.write(written / "README.md", job, facts, results, tracking.noted_run(job.folder))
        checkpoints.put_in_place(written, job.folder)
    except (OSError, RuntimeError) as error:
        checkpoints.remove(written)
        raise Problem(f"cannot save the adapter to {job.folder}: {reason(error)}") from error


if __name__ == "__main__":
    sys.exit(main())
