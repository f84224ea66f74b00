"""Keys and values of the positions that a model has seen already, so that each is computed once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class LayerCache:
    """Room for one layer: keys and values (b, g, capacity, e), of which ``length`` positions are filled."""

    keys: Tensor
    values: Tensor
    length: int = 0

    def extended(self, k_bgte: Tensor, v_bgte: Tensor) -> tuple[Tensor, Tensor]:
        """Adds positions and gives all that there are, each (b, g, s, e)."""
        end = self.length + k_bgte.shape[2]
        if end > self.keys.shape[2]:
            raise ValueError(f"the cache holds {self.keys.shape[2]} positions, not {end}")
        self.keys[:, :, self.length : end] = k_bgte
        self.values[:, :, self.length : end] = v_bgte
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class Cache:
    """One :class:`LayerCache` a layer."""

    def __init__(
        self,
        layers: int,
        batch: int,
        heads: int,
        capacity: int,
        head_size: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (batch, heads, capacity, head_size)
        self.capacity = capacity
        self.layers = [
            LayerCache(torch.empty(shape, device=device, dtype=dtype), torch.empty(shape, device=device, dtype=dtype))
            for _ in range(layers)
        ]

    @property
    def length(self) -> int:
        """How many positions are filled."""
        return self.layers[0].length

    def clear(self) -> None:
        for layer in self.layers:
            layer.length = 0
