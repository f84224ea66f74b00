"""How a model knows where a token stands: rotations of queries and keys, or a bias on their products."""

from __future__ import annotations

import torch
from torch import Tensor


def rotary(positions_t: Tensor, head_size: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the angles by which queries and keys turn, each (t, e).

    RoFormer, arXiv 2104.09864; the two halves of a head turn together, as in Llama.
    """
    powers = torch.arange(0, head_size, 2, device=positions_t.device, dtype=torch.float32) / head_size
    angles = torch.outer(positions_t.float(), theta**-powers)
    angles_te = torch.cat((angles, angles), dim=-1)
    return angles_te.cos(), angles_te.sin()


def turned(x_bhte: Tensor, cos_te: Tensor, sin_te: Tensor) -> Tensor:
    """Turns queries or keys to their positions; the dtype stays."""
    first, second = x_bhte.float().chunk(2, dim=-1)
    rotated_bhte = torch.cat((-second, first), dim=-1)
    return (x_bhte.float() * cos_te + rotated_bhte * sin_te).to(x_bhte.dtype)


def alibi_slopes(heads: int) -> Tensor:
    """The slope of each head, (h). ALiBi, arXiv 2108.12409, with its rule for numbers that are no power of two."""
    whole = 2 ** (heads.bit_length() - 1)
    slopes = [2 ** (-8 * (number + 1) / whole) for number in range(whole)]
    slopes += [2 ** (-4 * (number + 1) / whole) for number in range(0, 2 * (heads - whole), 2)]
    return torch.tensor(slopes)


def alibi(slopes_h: Tensor, queries_t: Tensor, keys_s: Tensor) -> Tensor:
    """What is added to the products of queries and keys, (h, t, s): minus infinity for a key behind its query."""
    distance_ts = (keys_s[None, :] - queries_t[:, None]).float()
    bias_hts = slopes_h[:, None, None] * distance_ts
    return bias_hts.masked_fill(distance_ts > 0, float("-inf"))


def causal(queries_t: Tensor, keys_s: Tensor) -> Tensor:
    """True where a query may see a key, (t, s)."""
    return keys_s[None, :] <= queries_t[:, None]
