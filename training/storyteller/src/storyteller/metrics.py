"""Numbers of a training: the experts' load, the texts' variety."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from storyteller.model import moe
from storyteller.model.moe import Routing

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass
class ExpertLoad:
    """What the routers did over many batches, layer by layer."""

    choices: dict[int, Tensor] = field(default_factory=dict)
    entropy: dict[int, Tensor] = field(default_factory=dict)
    dropped: dict[int, Tensor] = field(default_factory=dict)
    tokens: dict[int, int] = field(default_factory=dict)

    def add(self, routings: Sequence[Routing | None]) -> None:
        for layer, routing in enumerate(routings):
            if routing is None:
                continue
            known = layer in self.choices
            choices, entropy, dropped = routing.choices_x.detach(), routing.entropy, routing.dropped
            self.choices[layer] = self.choices[layer] + choices if known else choices
            self.entropy[layer] = self.entropy[layer] + entropy if known else entropy
            self.dropped[layer] = self.dropped[layer] + dropped if known else dropped
            self.tokens[layer] = self.tokens.get(layer, 0) + routing.tokens

    def metrics(self) -> dict[str, float]:
        """``moe/layer_X_balance`` (largest share × E: 1 is even), ``…_entropy`` (mean over tokens, in nats: log E is
        undecided), ``…_dropped`` (share of choices that found their expert full)."""
        found = {}
        for layer, choices_x in self.choices.items():
            found[f"moe/layer_{layer}_balance"] = moe.balance(choices_x)
            found[f"moe/layer_{layer}_entropy"] = float(self.entropy[layer]) / self.tokens[layer]
            found[f"moe/layer_{layer}_dropped"] = float(self.dropped[layer] / choices_x.sum())
        return found


def auxiliary(routings: Sequence[Routing | None]) -> tuple[Tensor, Tensor]:
    """The load balance losses and the z-losses of all layers, each summed; zeros without experts."""
    used = [routing for routing in routings if routing is not None]
    if not used:
        return torch.zeros(()), torch.zeros(())
    return (
        torch.stack([moe.load_balance_loss(routing) for routing in used]).sum(),
        torch.stack([moe.z_loss(routing) for routing in used]).sum(),
    )


def perplexity(loss: float) -> float:
    """e to the loss; infinity where that is too large for a float."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def bits_per_byte(loss: float, bytes_per_token: float) -> float:
    """A loss in nats a token as bits a byte of text, which tokenizers do not change."""
    return loss / math.log(2) / bytes_per_token


def of_stories(texts: Sequence[str]) -> dict[str, float]:
    """How varied generated texts are: ``story/distinct_1`` to ``_3`` (different n-grams of words a n-gram, Li et al.,
    arXiv 1510.03055), ``story/repetition`` (share of 4-grams that were there before in the same text),
    ``story/length`` (words a text) and ``story/vocabulary`` (different words in all)."""
    words = [[word.lower() for word in _WORD.findall(text)] for text in texts]
    found = {f"story/distinct_{n}": _distinct([grams(one, n) for one in words]) for n in (1, 2, 3)}
    fours = [grams(one, 4) for one in words]
    repeated = sum(len(one) - len(set(one)) for one in fours)
    found["story/repetition"] = repeated / max(1, sum(map(len, fours)))
    found["story/length"] = sum(map(len, words)) / max(1, len(words))
    found["story/vocabulary"] = float(len({word for one in words for word in one}))
    return found


def grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def _distinct(texts: Sequence[Sequence[tuple[str, ...]]]) -> float:
    everything = [one for text in texts for one in text]
    return len(set(everything)) / max(1, len(everything))
