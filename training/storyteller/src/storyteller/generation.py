"""Texts from a model, token by token, with a cache or, for comparison, without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from storyteller import tokenizer as tokenizers
from storyteller.config import GenerationConfig
from storyteller.model import Storyteller
from storyteller.model.cache import Cache


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. A temperature of 0 takes the likeliest; ``top_k`` of 0 looks at all."""

    max_new_tokens: int = 120
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 0.95
    repetition_penalty: float = 1.0
    seed: int = 0

    @classmethod
    def of(cls, config: GenerationConfig) -> Sampling:
        return cls(
            config.max_new_tokens,
            config.temperature,
            config.top_k,
            config.top_p,
            config.repetition_penalty,
            config.seed,
        )


def generate(model: Storyteller, tokenizer: Tokenizer, prompt: str, sampling: Sampling, *, cached: bool = True) -> str:
    """The prompt and what the model writes behind it, until it ends the story or the tokens are used up."""
    end = tokenizers.end_of(tokenizer)
    prompt_ids = tokenizer.encode(prompt).ids
    begin = prompt_ids or [end]
    ids = list(tokens(model, begin, end, sampling, cached=cached))
    return prompt + str(tokenizer.decode(ids))


@torch.inference_mode()
def tokens(
    model: Storyteller, prompt: list[int], end: int, sampling: Sampling, *, cached: bool = True
) -> Iterator[int]:
    """The tokens behind ``prompt``, without the one that ends a story.

    The model sees a window of its context. When that is full, the window's later half is what it goes on with: both
    ways of running do the same, so that they write the same.
    """
    device = model.embedding.weight.device
    source = torch.Generator(device="cpu").manual_seed(sampling.seed)
    context = model.config.max_sequence_length
    window, seen = prompt[-context:], list(prompt)
    was_training = model.training
    model.eval()
    cache = model.new_cache(1) if cached else None
    try:
        for _ in range(sampling.max_new_tokens):
            if len(window) > context:
                window = window[-max(1, context // 2) :]
                if cache is not None:
                    cache.clear()
            logits_v = _next_logits(model, window, cache, device)
            chosen = choose(logits_v.float().cpu(), seen, sampling, source)
            if chosen == end:
                return
            yield chosen
            window.append(chosen)
            seen.append(chosen)
    finally:
        model.train(was_training)


def _next_logits(model: Storyteller, window: list[int], cache: Cache | None, device: torch.device) -> Tensor:
    done = cache.length if cache is not None else 0
    tokens_bt = torch.tensor([window[done:]], device=device)
    logits_btv, _ = model(tokens_bt, cache)
    last: Tensor = logits_btv[0, -1]
    return last


def choose(logits_v: Tensor, seen: list[int], sampling: Sampling, source: torch.Generator) -> int:
    """One token: repetition is made dearer, then temperature, ``top_k`` and ``top_p`` narrow the choice."""
    if sampling.repetition_penalty != 1.0:
        # CTRL, arXiv 1909.05858: divide what is positive, multiply what is negative.
        known = torch.tensor(sorted(set(seen)))
        some = logits_v[known]
        divided = torch.where(some > 0, some / sampling.repetition_penalty, some * sampling.repetition_penalty)
        logits_v = logits_v.index_copy(0, known, divided)
    if sampling.temperature == 0:
        return int(logits_v.argmax())
    logits_v = logits_v / sampling.temperature
    if 0 < sampling.top_k < len(logits_v):
        logits_v = logits_v.masked_fill(logits_v < logits_v.topk(sampling.top_k).values[-1], float("-inf"))
    probabilities_v = logits_v.softmax(0)
    if sampling.top_p < 1:
        sorted_v, order_v = probabilities_v.sort(descending=True)
        beyond_v = sorted_v.cumsum(0) - sorted_v >= sampling.top_p
        probabilities_v = probabilities_v.index_fill(0, order_v[beyond_v], 0.0)
    return int(torch.multinomial(probabilities_v, 1, generator=source))
