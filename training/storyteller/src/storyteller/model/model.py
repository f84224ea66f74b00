"""The whole network: embeddings, blocks, and the logits of the next token."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from storyteller.config import ModelConfig
from storyteller.model import positions
from storyteller.model.block import Block, norm
from storyteller.model.cache import Cache
from storyteller.model.loss import cross_entropy
from storyteller.model.moe import MoE, Routing


class Storyteller(nn.Module):
    """A decoder. ``forward`` gives logits (b, t, v); ``losses`` those that a training adds up."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position = (
            nn.Embedding(config.max_sequence_length, config.hidden_size) if config.position == "learned" else None
        )
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList([Block(config, layer) for layer in range(config.num_layers)])
        # Post-norm blocks end with a norm of their own.
        self.norm = norm(config) if config.norm_position == "pre" else nn.Identity()
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tie_embeddings:
            self.head.weight = self.embedding.weight
        self.register_buffer("slopes_h", positions.alibi_slopes(config.num_heads), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Normal weights; what is added to the stream is smaller the more layers add (GPT-2)."""
        std = self.config.init_std
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=std)
                if isinstance(module, nn.Linear) and module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, MoE):
                nn.init.normal_(module.up_xcf, std=std)
        for name, weight in self.named_parameters():
            if name.endswith(("attention.output.weight", "feedforward.down.weight", "down_xfc")):
                nn.init.normal_(weight, std=std / math.sqrt(2 * self.config.num_layers))

    def new_cache(self, batch: int, capacity: int | None = None) -> Cache:
        """An empty cache for ``batch`` texts, as long as the context unless told."""
        config, weight = self.config, self.embedding.weight
        room = capacity or config.max_sequence_length
        return Cache(config.num_layers, batch, config.kv_heads, room, config.head_size, weight.device, weight.dtype)

    def forward(self, tokens_bt: Tensor, cache: Cache | None = None) -> tuple[Tensor, list[Routing | None]]:
        """Logits (b, t, v) of the tokens that follow, and what each layer's router did.

        With a cache the tokens stand behind those that it has, and join them.
        """
        x_btc, routings = self.stream(tokens_bt, cache)
        return self.head(x_btc), routings

    def stream(self, tokens_bt: Tensor, cache: Cache | None = None) -> tuple[Tensor, list[Routing | None]]:
        """What the head turns into logits, (b, t, c)."""
        begin = cache.length if cache is not None else 0
        queries_t = torch.arange(begin, begin + tokens_bt.shape[1], device=tokens_bt.device)
        if self.position is not None and begin + len(queries_t) > self.config.max_sequence_length:
            raise ValueError(
                f"{begin + len(queries_t)} positions, of which {self.config.max_sequence_length} are known"
            )
        x_btc = self.embedding(tokens_bt)
        if self.position is not None:
            x_btc = x_btc + self.position(queries_t)
        x_btc = self.dropout(x_btc)
        rotation = self._rotation(queries_t)
        mask = self._mask(queries_t, begin, x_btc.dtype)
        routings = []
        for number, block in enumerate(self.blocks):
            x_btc, routing = block(x_btc, rotation, mask, cache.layers[number] if cache is not None else None)
            routings.append(routing)
        return self.norm(x_btc), routings

    def losses(self, tokens_bt: Tensor, targets_bt: Tensor) -> tuple[Tensor, list[Routing | None]]:
        """The sum of the cross entropies of all targets that are not negative, and what the routers did."""
        x_btc, routings = self.stream(tokens_bt)
        return cross_entropy(x_btc.flatten(0, 1), self.head.weight, targets_bt.flatten()), routings

    def _rotation(self, queries_t: Tensor) -> tuple[Tensor, Tensor] | None:
        if self.config.position != "rotary":
            return None
        return positions.rotary(queries_t, self.config.head_size, self.config.rope_theta)

    def _mask(self, queries_t: Tensor, begin: int, dtype: torch.dtype) -> Tensor | None:
        keys_s = torch.arange(begin + len(queries_t), device=queries_t.device)
        if self.config.position == "alibi":
            kind = queries_t.device.type
            wanted = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else dtype
            return positions.alibi(self.slopes_h, queries_t, keys_s).to(wanted)
        return positions.causal(queries_t, keys_s) if begin else None
