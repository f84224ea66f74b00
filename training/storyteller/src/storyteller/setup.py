"""All that a training needs, made before its first step."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from storyteller import configfile, estimate, optim, sharding, tokenizer, weights
from storyteller.checkpoints import Checkpoint, Progress
from storyteller.config import Config
from storyteller.data import tokens
from storyteller.data.tokens import Corpus
from storyteller.data.windows import Deal, Windows
from storyteller.devices import Device
from storyteller.errors import ConfigError
from storyteller.model import Storyteller
from storyteller.report import Report
from storyteller.stopping import Clock
from storyteller.tracking import Tracker


@dataclass
class Training:
    """All that takes part. ``wrapped`` is the model as it is run: compiled, or one of several processes'."""

    config: Config
    device: Device
    tracker: Tracker
    tokenizer: Tokenizer
    train: Deal
    val: Windows
    model: Storyteller
    wrapped: nn.Module
    optimizers: optim.Optimizers
    scaler: torch.amp.GradScaler
    progress: Progress
    steps: int
    report: Report
    peak_flops: float
    last_val: float = math.nan
    clock: Clock = field(default_factory=Clock)

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """The training lasts for this block; then DDP is let go of, for it must not outlive the group of processes: it
        would end the group's thread while that waits for Python."""
        try:
            yield
        finally:
            self.wrapped = self.model
            gc.collect()


def prepared(config: Config, device: Device, tracker: Tracker, found: Checkpoint | None) -> Training:
    """Reads data and tokenizer, makes model and optimisers, and goes to where a checkpoint had come."""
    settings = config.training
    words = tokenizer.load(Path(config.data.tokenizer))
    check(config, words)
    train_data, val_data = corpora(config, words, device)
    deal = Deal(
        Windows(train_data, config.sequence_length, settings.seed),
        settings.batch_size,
        settings.gradient_accumulation_steps,
        device.rank,
        device.world,
    )
    torch.manual_seed(settings.seed)
    model = Storyteller(config.model).to(device.torch)
    if found is not None:
        weights.same_model(config.model, found.folder)
        weights.fill(model, found.folder)
    if device.sharded:
        sharding.shard(model, device)
    optimizers = optim.Optimizers(model, settings, fused=device.torch.type in ("cpu", "cuda"))
    scaler = torch.amp.GradScaler(device.torch.type, enabled=device.amp is torch.float16)
    progress = Progress(run_id=tracker.run_id)
    if found is not None:
        progress = restored(found, config, optimizers, scaler, device)
        progress.run_id = tracker.run_id or progress.run_id  # for a later resume that is tracked again
        deal.go_to(progress.epoch, progress.taken)
    steps = steps_of(config, deal)
    return Training(
        config=config,
        device=device,
        tracker=tracker,
        tokenizer=words,
        train=deal,
        val=Windows(val_data, config.sequence_length, shuffle=False),
        model=model,
        wrapped=wrapped(model, device),
        optimizers=optimizers,
        scaler=scaler,
        progress=progress,
        steps=steps,
        report=Report(steps, quiet=not device.leads),
        peak_flops=settings.peak_tflops * 1e12 or device.peak_flops(),
    )


def check(config: Config, words: Tokenizer) -> None:
    """``ConfigError`` for what fits the files and the network, but not each other."""
    if config.sequence_length > config.model.max_sequence_length:
        raise ConfigError(
            f"Invalid training.sequence_length {config.sequence_length}: the model's context, "
            f"model.max_sequence_length, is {config.model.max_sequence_length}."
        )
    if words.get_vocab_size() > config.model.vocab_size:
        raise ConfigError(
            f"Invalid model.vocab_size {config.model.vocab_size}: the tokenizer has {words.get_vocab_size()} tokens."
        )


def corpora(config: Config, words: Tokenizer, device: Device) -> tuple[Corpus, Corpus]:
    """Training and validation data; the first process encodes them, the others find them encoded."""
    files = [Path(config.data.train_file), Path(config.data.val_file)]
    found = []
    for turn in range(2):
        if device.leads is (turn == 0):
            found = [
                tokens.corpus(file, words, Path(config.data.cache_dir or file.parent / ".tokens")) for file in files
            ]
        device.summed(0.0)
    return found[0], found[1]


def restored(
    found: Checkpoint,
    config: Config,
    optimizers: optim.Optimizers,
    scaler: torch.amp.GradScaler,
    device: Device,
) -> Progress:
    """Puts a checkpoint's states in their places."""
    states = found.optimizer(device.torch)
    if len(states["optimizers"]) != len(optimizers.all):
        raise ConfigError(f"Invalid training.optimizer {config.training.optimizer!r}: the checkpoint has another.")
    optimizers.load_state_dict(states["optimizers"])
    scaler.load_state_dict(states["scaler"])
    return found.progress


def steps_of(config: Config, deal: Deal) -> int:
    """Steps of the whole training: of ``max_steps`` and ``num_epochs`` the sooner."""
    limits = [config.training.max_steps] if config.training.max_steps else []
    if config.training.num_epochs:
        limits.append(sum(deal.steps_of_epoch(epoch) for epoch in range(config.training.num_epochs)))
    return min(limits)


def wrapped(model: Storyteller, device: Device) -> nn.Module:
    """The model as it is run in the loop: it gives the losses of a batch."""
    runner: nn.Module = _Losses(model)
    if device.compiled:
        runner = torch.compile(runner)
    if device.world > 1 and not device.sharded:
        ids = [device.torch] if device.torch.type == "cuda" else None
        runner = nn.parallel.DistributedDataParallel(runner, device_ids=ids)
    return runner


class _Losses(nn.Module):
    """What ``torch.compile`` and DDP wrap: a forward pass down to the sums that a step needs."""

    def __init__(self, model: Storyteller) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens_bt: torch.Tensor, targets_bt: torch.Tensor) -> tuple[torch.Tensor, Any]:
        loss, routings = self.model.losses(tokens_bt, targets_bt)
        return loss, routings


def params_of(training: Training) -> dict[str, Any]:
    """The whole configuration, and what was made of it."""
    device = training.device
    precision = "float32" if device.amp is None else str(device.amp).removeprefix("torch.")
    made = {
        "vocab_size": training.config.model.vocab_size,
        "device": str(device.torch),
        "use_amp": device.amp is not None,
        "amp_dtype": precision,
        "compile": device.compiled,
        "parallel": "fsdp" if sharding.is_sharded(training.model) else "ddp" if device.world > 1 else "none",
        "world_size": device.world,
        "sequence_length": training.config.sequence_length,
        "intermediate_size": training.config.model.feedforward_size,
        "total_steps": training.steps,
        "total_parameters": estimate.parameters(training.model),
        "active_parameters": estimate.active_parameters(training.model),
        "train_tokens": len(training.train.windows.corpus.tokens),
        "val_tokens": len(training.val.corpus.tokens),
        "peak_tflops": round(training.peak_flops / 1e12, 3),
    }
    if training.config.model.use_moe:
        made["expert_intermediate_size"] = training.config.model.expert_size
    return configfile.flat(training.config) | made


def files_of(config: Config) -> dict[str, Path]:
    """The files that a training reads, by what they are for."""
    data = config.data
    return {
        "training": Path(data.train_file),
        "validation": Path(data.val_file),
        "tokenizer": Path(data.tokenizer),
    }


def tags_of(training: Training) -> dict[str, str]:
    """The fingerprints of the data."""
    return {
        "storyteller.train_sha256": training.train.windows.corpus.digest,
        "storyteller.val_sha256": training.val.corpus.digest,
    }
