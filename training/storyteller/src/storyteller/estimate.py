"""What a configuration will need, from a model that takes no memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from storyteller.config import Config
from storyteller.model import Storyteller

_GIGA = 1e9
_STATES = {"adamw": 2, "muon": 2}


@dataclass(frozen=True)
class Estimate:
    """Counts of parameters, bytes of memory, and tokens; memory of activations is a rough upper bound."""

    parameters: int
    active_parameters: int
    weights_and_optimizer: int
    activations: int
    tokens_per_step: int
    steps: int | None

    @property
    def memory(self) -> int:
        return self.weights_and_optimizer + self.activations

    def lines(self) -> list[str]:
        """The estimate for people."""
        steps = f"{self.steps:,}" if self.steps is not None else "by epochs"
        total = f"{self.steps * self.tokens_per_step:,}" if self.steps is not None else "by epochs"
        return [
            f"parameters         {self.parameters:,}",
            f"active parameters  {self.active_parameters:,}",
            f"memory             about {self.memory / _GIGA:.2f} GB "
            f"(weights, gradients, optimiser {self.weights_and_optimizer / _GIGA:.2f}, "
            f"activations {self.activations / _GIGA:.2f})",
            f"tokens per step    {self.tokens_per_step:,}",
            f"steps              {steps}",
            f"tokens             {total}",
        ]


def parameters(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def active_parameters(model: Storyteller) -> int:
    """The parameters that one token meets: of the experts those that it is sent to."""
    config = model.config
    experts = sum(weight.numel() for name, weight in model.named_parameters() if name.endswith(("_xcf", "_xfc")))
    return parameters(model) - experts + experts * config.experts_per_token // config.num_experts


def flops_per_token(model: Storyteller, length: int) -> float:
    """Operations of forward and backward for one token: 6 a weight that multiplies, and attention's products (PaLM,
    arXiv 2204.02311, appendix B)."""
    config = model.config
    looked_up = 0 if config.tie_embeddings else model.embedding.weight.numel()
    if model.position is not None:
        looked_up += model.position.weight.numel()
    return 6.0 * (active_parameters(model) - looked_up) + 12.0 * config.num_layers * config.hidden_size * length


def estimate(config: Config, world: int = 1) -> Estimate:
    with torch.device("meta"):
        model = Storyteller(config.model)
    count, training = parameters(model), config.training
    per_token = training.batch_size * config.sequence_length
    state_bytes = 4 * (2 + _STATES[training.optimizer])
    return Estimate(
        parameters=count,
        active_parameters=active_parameters(model),
        weights_and_optimizer=count * state_bytes,
        activations=per_token * _activation_bytes(config),
        tokens_per_step=per_token * training.gradient_accumulation_steps * world,
        steps=training.max_steps or None,
    )


def _activation_bytes(config: Config) -> int:
    """What one token leaves for the backward pass: a dozen widths of the stream and three of the feed-forward a layer,
    and its logits three times; in 16 bits unless the configuration excludes them."""
    model = config.model
    wide = model.feedforward_size
    width = 4 if config.training.use_amp == "false" else 2
    return width * (model.num_layers * (12 * model.hidden_size + 3 * wide) + 3 * model.vocab_size)
