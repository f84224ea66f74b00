"""Generation: with the cache as without, past the context too, and by the rules of sampling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from storyteller import metrics, tokenizer
from storyteller.generation import Sampling, choose, generate, tokens
from storyteller.model import Storyteller
from support.storytelling import small

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0])


def chosen(times: int = 200, seen: tuple[int, ...] = (), **rules: Any) -> set[int]:
    source = torch.Generator().manual_seed(1)
    return {
        choose(LOGITS, list(seen), Sampling(**{"temperature": 1.0, "top_k": 0, "top_p": 1.0, **rules}), source)
        for _ in range(times)
    }


@pytest.mark.parametrize("temperature", [0.0, 0.9])
@pytest.mark.parametrize("position", ["rotary", "learned", "alibi"])
@pytest.mark.parametrize("use_moe", [False, True])
def test_cached_equals_uncached_past_the_context(position: str, use_moe: bool, temperature: float) -> None:
    torch.manual_seed(4)
    model = Storyteller(small(position=position, use_moe=use_moe, num_experts=4, num_kv_heads=2))
    for weight in model.parameters():
        weight.data.mul_(3)
    sampling = Sampling(max_new_tokens=80, temperature=temperature, seed=5)
    # The context has 32 places: the window is cut several times.
    with_cache, without = (list(tokens(model, [5, 6, 7], 0, sampling, cached=cached)) for cached in (True, False))
    assert with_cache == without
    assert len(with_cache) > 1 and model.training


def test_a_prompt_longer_than_the_context_is_cut() -> None:
    model = Storyteller(small())
    sampling = Sampling(max_new_tokens=3, seed=1)
    assert list(tokens(model, list(range(1, 200)), 0, sampling)) == list(
        tokens(model, list(range(168, 200)), 0, sampling)
    )


def test_texts_repeat_with_their_seed(stories: Path) -> None:
    known = tokenizer.load(stories / "tokenizer.json")
    model = Storyteller(small())
    texts = [generate(model, known, "a cat", Sampling(max_new_tokens=8, seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert all(text.startswith("a cat") for text in texts)
    assert isinstance(generate(model, known, "", Sampling(max_new_tokens=2)), str)


def test_the_rules_of_sampling() -> None:
    assert chosen() == {0, 1, 2, 3}
    assert chosen(temperature=0.0) == {0}
    assert chosen(top_k=2) == {0, 1}
    assert chosen(top_p=0.8) == {0, 1}
    assert chosen(top_p=0.1) == {0}
    assert chosen(temperature=0.0, seen=(0,), repetition_penalty=3.0) == {1}


def test_stories_are_counted_by_hand() -> None:
    found = metrics.of_stories(["The cat saw the cat. The cat saw the cat!", "A dog."])
    assert found["story/distinct_1"] == pytest.approx(5 / 12)  # the cat saw a dog, of 10 + 2 words
    assert found["story/distinct_2"] == pytest.approx(5 / 10)  # the-cat cat-saw saw-the cat-the a-dog
    assert found["story/repetition"] == pytest.approx(2 / 7)  # of seven 4-grams two come again
    assert found["story/length"] == 6.0
    assert found["story/vocabulary"] == 5.0
    assert metrics.of_stories([""])["story/distinct_3"] == 0.0
