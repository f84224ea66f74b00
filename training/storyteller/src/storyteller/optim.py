"""Optimisers and the course of the learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn

from storyteller import sharding
from storyteller.config import TrainingConfig


def scale(config: TrainingConfig, step: int, steps: int) -> float:
    """What the learning rates are multiplied by at a step counted from 0, of ``steps`` in all.

    Both schedules warm up in a line. ``cosine`` then falls to ``min_learning_rate_ratio``; ``wsd`` stays, and falls
    in a line over the last ``decay_fraction`` (MiniCPM, arXiv 2404.06395).
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    least = config.min_learning_rate_ratio
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "cosine":
        done = (step - config.warmup_steps) / max(1, steps - config.warmup_steps)
        return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    decay = max(1, round(steps * config.decay_fraction))
    left = min(1.0, max(0.0, (steps - step) / decay))
    return least + (1 - least) * left


class Optimizers:
    """AdamW for everything, or Muon for the matrices of the blocks and AdamW for the rest.

    Weight decay is for matrices alone: embeddings, norms and biases keep theirs.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig, *, fused: bool) -> None:
        named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
        muon = [
            weight for name, weight in named if config.optimizer == "muon" and "blocks." in name and weight.ndim == 2
        ]
        taken = {id(weight) for weight in muon}
        rest = [(name, weight) for name, weight in named if id(weight) not in taken]
        decayed = [weight for name, weight in rest if weight.ndim >= 2 and "embedding" not in name]
        plain = [weight for name, weight in rest if weight.ndim < 2 or "embedding" in name]
        self.all: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(
                [
                    {"params": group, "weight_decay": decay}
                    for group, decay in ((decayed, config.weight_decay), (plain, 0.0))
                    if group
                ],
                lr=config.learning_rate,
                betas=(config.beta1, config.beta2),
                fused=fused,
            )
        ]
        if muon:
            self.all.append(
                torch.optim.Muon(muon, lr=config.muon_learning_rate, weight_decay=config.weight_decay, momentum=0.95)
            )
        self._base = [[float(group["lr"]) for group in one.param_groups] for one in self.all]

    def set_scale(self, factor: float) -> None:
        for one, bases in zip(self.all, self._base, strict=True):
            for group, base in zip(one.param_groups, bases, strict=True):
                group["lr"] = base * factor

    def zero_grad(self) -> None:
        for one in self.all:
            one.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, object]]:
        return [one.state_dict() for one in self.all]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        """Loads what :meth:`state_dict` gave, put together where it was sharded."""
        for one, state in zip(self.all, states, strict=True):
            one.load_state_dict(sharding.parted(state, one))
