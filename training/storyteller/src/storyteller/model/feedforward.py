"""The dense feed-forward, and the activations that experts share with it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from storyteller.config import ModelConfig


def activated(up: Tensor, activation: str) -> Tensor:
    """Applies an activation over the last axis; ``swiglu`` halves it: gate first, then what it gates."""
    if activation == "swiglu":
        gate, value = up.chunk(2, dim=-1)
        return F.silu(gate) * value
    return F.gelu(up) if activation == "gelu" else F.relu(up)


def up_width(config: ModelConfig, width: int) -> int:
    """The width before the activation."""
    return 2 * width if config.activation == "swiglu" else width


class FeedForward(nn.Module):
    """Up, activation, down."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.feedforward_size
        self.activation = config.activation
        self.up = nn.Linear(config.hidden_size, up_width(config, width), bias=config.bias)
        self.down = nn.Linear(width, config.hidden_size, bias=config.bias)

    def forward(self, x_btc: Tensor) -> Tensor:
        return self.down(activated(self.up(x_btc), self.activation))
