"""A feed-forward of experts: a router sends each token to a few of them.

Tokens are sorted by expert, so that each expert's are a block, and all blocks are multiplied in one call
(``grouped_mm``). Where that call is missing, a loop over the experts gives the same results.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from storyteller.config import ModelConfig
from storyteller.model.feedforward import activated, up_width


@dataclass
class Routing:
    """What one layer's router did with n tokens, for losses and metrics; all of it sums, so that batches add up."""

    choices_x: Tensor
    """How many choices each expert got, before any capacity."""
    probabilities_x: Tensor
    """The sum of the probabilities that the tokens gave each expert; carries gradients."""
    entropy: Tensor
    """The sum of the entropies of the tokens' probabilities, in nats."""
    z: Tensor
    """The sum of the squared log-partitions of the router's logits; carries gradients."""
    dropped: Tensor
    """How many choices found their expert full."""
    tokens: int


def load_balance_loss(routing: Routing) -> Tensor:
    """E · Σ share of choices · mean probability: 1 where all experts get the same. Switch, arXiv 2101.03961, eq. 4."""
    share_x = routing.choices_x / routing.choices_x.sum()
    mean_x = routing.probabilities_x / routing.tokens
    return len(share_x) * (share_x * mean_x).sum()


def z_loss(routing: Routing) -> Tensor:
    """The mean squared log-partition of the router's logits. ST-MoE, arXiv 2202.08906, eq. 5."""
    return routing.z / routing.tokens


def balance(choices_x: Tensor) -> float:
    """The largest expert's share of the choices, times the experts: 1 is even, E is all to one."""
    return float(choices_x.max() / choices_x.sum() * len(choices_x))


class MoE(nn.Module):
    """``num_experts`` feed-forwards, of which each token uses ``experts_per_token``."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.expert_size
        self.experts, self.per_token = config.num_experts, config.experts_per_token
        self.capacity_factor = config.moe_capacity_factor
        self.activation = config.activation
        self.grouped = config.moe_implementation != "loop" and hasattr(F, "grouped_mm")
        self.router = nn.Linear(config.hidden_size, self.experts, bias=False)
        self.up_xcf = nn.Parameter(torch.empty(self.experts, config.hidden_size, up_width(config, width)))
        self.down_xfc = nn.Parameter(torch.empty(self.experts, width, config.hidden_size))

    def forward(self, x_btc: Tensor) -> tuple[Tensor, Routing]:
        x_nc = x_btc.flatten(0, -2)
        # The router works in single precision: its softmax decides, and bf16 makes ties.
        with torch.autocast(x_btc.device.type, enabled=False):
            logits_nx = F.linear(x_nc.float(), self.router.weight.float())
        probabilities_nx = logits_nx.softmax(dim=-1)
        weights_nk, chosen_nk = probabilities_nx.topk(self.per_token, dim=-1)
        # A single choice keeps its probability, as in Switch: shared out it would be 1, and the router learn nothing.
        if self.per_token > 1:
            weights_nk = weights_nk / weights_nk.sum(dim=-1, keepdim=True)

        # First choices before second ones, so that a full expert turns away the latter.
        chosen_a, weights_a = chosen_nk.t().flatten(), weights_nk.t().flatten()
        order_a = chosen_a.argsort(stable=True)
        choices_x = torch.bincount(chosen_a, minlength=self.experts)
        kept_a = self._kept(chosen_a[order_a], choices_x, len(x_nc))
        token_a = order_a % len(x_nc)
        y_ac = self._experts(x_nc[token_a], choices_x)
        y_ac = y_ac * (weights_a[order_a] * kept_a).unsqueeze(-1).to(y_ac.dtype)
        y_nc = torch.zeros_like(x_nc, dtype=y_ac.dtype).index_add(0, token_a, y_ac)
        routing = Routing(
            choices_x=choices_x,
            probabilities_x=probabilities_nx.sum(0),
            entropy=-(probabilities_nx * probabilities_nx.clamp_min(1e-30).log()).sum().detach(),
            z=logits_nx.logsumexp(dim=-1).square().sum(),
            dropped=(~kept_a).sum(),
            tokens=len(x_nc),
        )
        return y_nc.view(x_btc.shape), routing

    def _kept(self, expert_a: Tensor, choices_x: Tensor, tokens: int) -> Tensor:
        """Which of the sorted choices their expert has room for; all of them outside of training."""
        if not self.training or not self.capacity_factor:
            return torch.ones_like(expert_a, dtype=torch.bool)
        room = int(self.capacity_factor * tokens * self.per_token / self.experts) + 1
        first_x = choices_x.cumsum(0) - choices_x
        return torch.arange(len(expert_a), device=expert_a.device) - first_x[expert_a] < room

    def _experts(self, x_ac: Tensor, choices_x: Tensor) -> Tensor:
        """Each block of tokens through its expert."""
        dtype = _dtype(x_ac)
        up_xcf, down_xfc, x_ac = self.up_xcf.to(dtype), self.down_xfc.to(dtype), x_ac.to(dtype)
        if self.grouped:
            ends_x = choices_x.cumsum(0).to(torch.int32)
            return F.grouped_mm(
                activated(F.grouped_mm(x_ac, up_xcf, offs=ends_x), self.activation), down_xfc, offs=ends_x
            )
        blocks = x_ac.split(choices_x.tolist())
        return torch.cat(
            [
                activated(block @ up_cf, self.activation) @ down_fc
                for block, up_cf, down_fc in zip(blocks, up_xcf, down_xfc, strict=True)
            ]
        )


def _dtype(x: Tensor) -> torch.dtype:
    """Autocast does not reach ``grouped_mm``: the experts follow it by hand."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
