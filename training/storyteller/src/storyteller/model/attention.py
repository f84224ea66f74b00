"""Causal self-attention, with grouped heads of keys and values and a cache."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from storyteller.config import ModelConfig
from storyteller.model.cache import LayerCache
from storyteller.model.positions import turned


class Attention(nn.Module):
    """Each position looks at itself and those before it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_size = config.num_heads, config.kv_heads, config.head_size
        self.dropout = config.dropout
        self.queries = nn.Linear(config.hidden_size, self.heads * self.head_size, bias=config.bias)
        self.keys = nn.Linear(config.hidden_size, self.kv_heads * self.head_size, bias=config.bias)
        self.values = nn.Linear(config.hidden_size, self.kv_heads * self.head_size, bias=config.bias)
        self.output = nn.Linear(self.heads * self.head_size, config.hidden_size, bias=config.bias)

    def forward(
        self,
        x_btc: Tensor,
        rotation: tuple[Tensor, Tensor] | None,
        mask: Tensor | None,
        cache: LayerCache | None,
    ) -> Tensor:
        """``mask`` says what each position sees (t, s), or is a bias (h, t, s); None is the plain triangle."""
        q_bhte = self._split(self.queries(x_btc), self.heads)
        k_bgte = self._split(self.keys(x_btc), self.kv_heads)
        v_bgte = self._split(self.values(x_btc), self.kv_heads)
        if rotation is not None:
            q_bhte, k_bgte = turned(q_bhte, *rotation), turned(k_bgte, *rotation)
        if cache is None:
            k_bgse, v_bgse = k_bgte, v_bgte
        else:
            k_bgse, v_bgse = cache.extended(k_bgte, v_bgte)
        y_bhte = F.scaled_dot_product_attention(
            q_bhte,
            k_bgse,
            v_bgse,
            attn_mask=mask,
            is_causal=mask is None,
            dropout_p=self.dropout if self.training else 0.0,
            enable_gqa=self.heads != self.kv_heads,
        )
        return self.output(y_bhte.transpose(1, 2).flatten(2))

    def _split(self, x_btc: Tensor, heads: int) -> Tensor:
        return x_btc.unflatten(-1, (heads, self.head_size)).transpose(1, 2)
