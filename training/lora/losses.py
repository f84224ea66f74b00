"""The loss of answers, by token: what a mean over batches of unequal answers would not be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from encoding import IGNORED


@dataclass
class Total:
    """Losses added up over learned tokens, in nats."""

    loss: float = 0.0
    tokens: int = 0

    @property
    def mean(self) -> float:
        return self.loss / self.tokens if self.tokens else math.nan

    @property
    def perplexity(self) -> float:
        return perplexity(self.mean)


def perplexity(loss: float) -> float:
    return math.exp(loss) if loss < 700 else math.inf


@torch.no_grad()  # type: ignore[untyped-decorator]
def row_losses(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """For each row of a batch the sum of the losses of its learned tokens, fp32 (batch,), and how many they are,
    int64 (batch,)."""
    labels = batch["labels"][:, 1:]
    given = {key: value for key, value in batch.items() if key != "labels"}
    logits = model(**given, use_cache=False).logits[:, :-1]  # with a cache, packed rows would see each other
    learned = labels != IGNORED
    each = torch.nn.functional.cross_entropy(logits[learned].float(), labels[learned], reduction="none")
    rows = learned.nonzero()[:, 0]
    sums = torch.zeros(len(labels), device=each.device).index_add_(0, rows, each)
    return sums, learned.sum(dim=1)


def add(totals: Total, sums: Iterable[float], counts: Iterable[int]) -> None:
    for loss, count in zip(sums, counts, strict=True):
        totals.loss += loss
        totals.tokens += count
