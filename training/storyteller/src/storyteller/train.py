"""A training, from the configuration to the logged model, in the order in which it happens."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from storyteller import checkpoints, configfile, estimate, metrics, optim, outputfolder, sharding, weights
from storyteller.config import Config
from storyteller.data.windows import Batch
from storyteller.devices import Device, device_of
from storyteller.errors import TrainingError
from storyteller.evaluation import evaluate
from storyteller.files import written
from storyteller.generation import Sampling, generate
from storyteller.model.loss import IGNORED
from storyteller.setup import Training, files_of, params_of, prepared, tags_of
from storyteller.stopping import Terminated, hints, on_sigterm
from storyteller.tracking import tracker_of


@dataclass(frozen=True)
class Result:
    """What a training leaves: the folder of the model, the tracker's run, the last values."""

    folder: Path
    run_id: str
    steps: int
    val_loss: float


def train(config: Config, resume: str = "") -> Result:
    """Trains, and logs the model. ``resume`` is a checkpoint's folder, or ``latest``."""
    output = Path(config.training.output_dir)
    with device_of(config.training) as device, alone(output, device):
        found = checkpoints.find(resume, output) if resume else None
        tracker = tracker_of(config.training, leads=device.leads)
        with tracker.run(config.training, found.progress.run_id if found else ""), on_sigterm() as asked:
            training = prepared(config, device, tracker, found)
            set_aside(training, found)
            described(training)
            with hints(), training.under_way(), training.report.bar(training.progress.step):
                loop(training, asked)
            return finished(training, output)


def described(training: Training) -> None:
    """Tells the tracker all that does not change."""
    tracker = training.tracker
    tracker.params(params_of(training))
    tracker.tags(tags_of(training))
    for context, file in files_of(training.config).items():
        tracker.data(file, context)
    tracker.text(configfile.dumped(training.config), "config.yaml")


def alone(output: Path, device: Device) -> contextlib.AbstractContextManager[None]:
    """The folder is this training's; of several processes the first one says so."""
    return outputfolder.claimed(output) if device.leads else contextlib.nullcontext()


def set_aside(training: Training, found: checkpoints.Checkpoint | None) -> None:
    """Makes room for this training's checkpoints: with those of another one ``latest`` would be any one's."""
    output = Path(training.config.training.output_dir)
    if training.device.leads and (aside := outputfolder.begin(output, found)) is not None:
        training.report.say(f"What an earlier training left in {output} is now in {aside}.")


def loop(training: Training, asked: threading.Event) -> None:
    """Every step to the end, or until the validation loss no longer falls."""
    settings, progress = training.config.training, training.progress
    training.model.train()
    training.clock.start()
    while progress.step < training.steps:
        values = one_step(training)
        training.report.step(progress.step)
        last = progress.step == training.steps
        if due(progress.step, settings.log_every) or last:
            log(training, values)
        if due(progress.step, settings.evaluation.every) or last:
            validate(training)
        if due(progress.step, settings.sample_every) or last:
            sample(training)
        stop = training.device.any(asked.is_set())
        if due(progress.step, settings.save_every) or last or stop:
            save(training)
        if stop and not last:
            training.tracker.killed()
            raise Terminated(128 + signal.SIGTERM)
        if gave_up(training):
            training.report.say(f"The validation loss has not fallen for {progress.evaluations_without_gain} times.")
            save(training)
            return


def due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


@dataclass
class _Step:
    """What a step leaves for the log; tensors stay where they are until somebody wants to know."""

    loss: torch.Tensor
    balance: torch.Tensor
    z: torch.Tensor
    batches: int
    count: float
    norm: torch.Tensor
    learning_rate: float
    load: metrics.ExpertLoad


def one_step(training: Training) -> _Step:
    """Forward and backward for every batch of the step, then the optimisers. All randomness hangs on seed, step and
    rank, so that a training resumed anywhere draws the same."""
    settings, device, progress = training.config.training, training.device, training.progress
    factor = optim.scale(settings, progress.step, training.steps)
    training.optimizers.set_scale(factor)
    device.seed(((settings.seed << 40) + (progress.step << 12) + device.rank) % 2**63)
    batches = training.train.step()
    (count,) = device.summed(sum(int((batch.targets_bt != IGNORED).sum()) for batch in batches))
    done = _Step(
        loss=torch.zeros((), device=device.torch),
        balance=torch.zeros((), device=device.torch),
        z=torch.zeros((), device=device.torch),
        batches=len(batches),
        count=count,
        norm=torch.zeros(()),
        learning_rate=settings.learning_rate * factor,
        load=metrics.ExpertLoad(),
    )
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        with contextlib.nullcontext() if last else unsynchronised(training):
            backward(training, batch, done)
    done.norm = clipped(training)
    for optimizer in training.optimizers.all:
        training.scaler.step(optimizer)
    training.scaler.update()
    training.optimizers.zero_grad()
    progress.step += 1
    progress.epoch, progress.taken = training.train.epoch, training.train.taken
    progress.tokens += int(count)
    training.clock.count(int(count))
    return done


def backward(training: Training, batch: Batch, done: _Step) -> None:
    """One batch's share: cross entropy by the tokens of the whole step, the experts' losses by its batches. DDP takes
    the mean over processes where the sum is meant, hence the factor."""
    model, device = training.config.model, training.device
    with device.autocast():
        loss, routings = training.wrapped(batch.tokens_bt.to(device.torch), batch.targets_bt.to(device.torch))
    balance, z = metrics.auxiliary(routings)
    extra = model.moe_load_balance_weight * balance + model.moe_z_loss_weight * z
    total = loss / done.count * device.world + extra.to(loss.device) / done.batches
    training.scaler.scale(total).backward()
    done.loss += loss.detach()
    done.balance += balance.detach().to(loss.device)
    done.z += z.detach().to(loss.device)
    done.load.add(routings)


def unsynchronised(training: Training) -> contextlib.AbstractContextManager[Any]:
    """Each process adds up its own gradients. (Whole ones would not fit where weights are sharded: those do not.)"""
    if isinstance(training.wrapped, nn.parallel.DistributedDataParallel):
        context: contextlib.AbstractContextManager[Any] = training.wrapped.no_sync()
        return context
    return contextlib.nullcontext()


def clipped(training: Training) -> torch.Tensor:
    """The norm of the gradients, before they were shortened to ``max_grad_norm``."""
    for optimizer in training.optimizers.all:
        training.scaler.unscale_(optimizer)
    longest = training.config.training.max_grad_norm or math.inf
    norm: torch.Tensor = sharding.whole(nn.utils.clip_grad_norm_(training.model.parameters(), longest))
    return norm


def log(training: Training, done: _Step) -> None:
    """Logs the step's metrics; ``TrainingError`` if the loss is no number."""
    device, progress = training.device, training.progress
    loss, balance, z = device.summed(done.loss, done.balance, done.z)
    shares = done.batches * device.world
    values = {
        "train/loss": loss / done.count,
        "train/bits_per_byte": metrics.bits_per_byte(loss / done.count, training.train.windows.corpus.bytes_per_token),
        "train/learning_rate": done.learning_rate,
        "train/grad_norm": float(done.norm),
        "train/tokens": float(progress.tokens),
        "train/epoch": training.train.fraction(),
        "train/memory_gb": device.memory_gb(),
        **speed(training),
    }
    if training.config.model.use_moe:
        values |= {"train/moe_load_balance_loss": balance / shares, "train/moe_z_loss": z / shares}
        values |= done.load.metrics()
    training.tracker.metrics(values, progress.step)
    training.report.metrics(progress.step, values)
    if not math.isfinite(values["train/loss"]):
        raise TrainingError(
            f"The loss is {values['train/loss']} at step {progress.step}: lower training.learning_rate, warm up "
            "longer, or clip with training.max_grad_norm; the last checkpoint is from before."
        )


def speed(training: Training) -> dict[str, float]:
    """Tokens a second since the last log, and what share of the device's products they are."""
    rate = training.clock.rate()
    flops = rate * estimate.flops_per_token(training.model, training.config.sequence_length)
    return {
        "train/tokens_per_second": rate,
        "train/mfu": flops / (training.peak_flops * training.device.world),
    }


def validate(training: Training) -> None:
    """Logs the validation loss, and keeps the weights that have the best one."""
    with training.clock.paused():
        values = evaluate(training.model, training.val, training.config, training.device)
    progress = training.progress
    training.last_val = values["val/loss"]
    training.tracker.metrics(values, progress.step)
    training.report.metrics(progress.step, values)
    if training.last_val < progress.best_loss:
        progress.best_loss, progress.evaluations_without_gain = training.last_val, 0
        with training.clock.paused():
            model = sharding.gathered(training.model, training.device)
            if training.device.leads:
                output = Path(training.config.training.output_dir)
                checkpoints.save_best(output, model, training.tokenizer, training.config)
    else:
        progress.evaluations_without_gain += 1


def gave_up(training: Training) -> bool:
    patience = training.config.training.evaluation.early_stop_patience
    return 0 < patience <= training.progress.evaluations_without_gain


def sample(training: Training) -> None:
    """Logs what the model writes now, and how varied it is."""
    config, step = training.config.generation, training.progress.step
    if not config.prompts:
        return
    with training.clock.paused():
        model = sharding.gathered(training.model, training.device)
        if not training.device.leads:
            return
        sampling = Sampling.of(config)
        texts = [generate(model, training.tokenizer, prompt, sampling) for prompt in config.prompts]
        training.tracker.text("\n\n---\n\n".join(texts) + "\n", f"samples/step_{step:08d}.txt")
        endings = [text[len(prompt) :] for text, prompt in zip(texts, config.prompts, strict=True)]
        training.tracker.metrics(metrics.of_stories(endings), step)


def save(training: Training) -> None:
    with training.clock.paused():
        model = sharding.gathered(training.model, training.device)
        states = {
            "optimizers": sharding.whole(training.optimizers.state_dict()),
            "scaler": training.scaler.state_dict(),
        }
        if not training.device.leads:
            return
        checkpoints.save(
            Path(training.config.training.output_dir),
            model,
            training.tokenizer,
            training.config,
            states,
            training.progress,
        )


def finished(training: Training, output: Path) -> Result:
    """Writes the model on its own, and logs it."""
    folder = output / outputfolder.FINAL
    model = sharding.gathered(training.model, training.device)
    if training.device.leads:
        with written(folder) as place:
            place.mkdir()
            weights.save(place, model, training.tokenizer, training.config)
        training.tracker.metrics({"val/best_loss": training.progress.best_loss}, training.progress.step)
        training.tracker.model(folder)
        training.report.say(f"The model is in {folder}.")
    return Result(folder, training.tracker.run_id, training.progress.step, training.last_val)
