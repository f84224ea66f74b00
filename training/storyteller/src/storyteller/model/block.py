"""One layer: attention, then a feed-forward, each added to the stream."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from storyteller.config import ModelConfig
from storyteller.model.attention import Attention
from storyteller.model.cache import LayerCache
from storyteller.model.feedforward import FeedForward
from storyteller.model.moe import MoE, Routing


def norm(config: ModelConfig) -> nn.Module:
    if config.norm == "rmsnorm":
        return nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
    return nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=config.bias)


class Block(nn.Module):
    """``pre`` normalises what enters a part, ``post`` the sum of stream and part."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.pre = config.norm_position == "pre"
        self.attention_norm, self.feedforward_norm = norm(config), norm(config)
        self.attention = Attention(config)
        self.feedforward = MoE(config) if config.is_moe_layer(layer) else FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x_btc: Tensor,
        rotation: tuple[Tensor, Tensor] | None,
        mask: Tensor | None,
        cache: LayerCache | None,
    ) -> tuple[Tensor, Routing | None]:
        entering = self.attention_norm(x_btc) if self.pre else x_btc
        x_btc = x_btc + self.dropout(self.attention(entering, rotation, mask, cache))
        if not self.pre:
            x_btc = self.attention_norm(x_btc)

        y_btc, routing = self._fed(self.feedforward_norm(x_btc) if self.pre else x_btc)
        x_btc = x_btc + self.dropout(y_btc)
        return (x_btc if self.pre else self.feedforward_norm(x_btc)), routing

    def _fed(self, x_btc: Tensor) -> tuple[Tensor, Routing | None]:
        if isinstance(self.feedforward, MoE):
            y_btc, routing = self.feedforward(x_btc)
            return y_btc, routing
        fed: torch.Tensor = self.feedforward(x_btc)
        return fed, None
