"""A language model with a LoRA adapter behind the scoring server: texts in, texts out."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest

from logbuch.serving import folder as folders
from support.scoring import client

WORDS = "<pad> <eos> <unk> once upon a time there was cat dog the end".split()


def save(place: Path) -> None:
    """A GPT-2 of one layer that knows a dozen words, with an adapter that is not zero."""
    import peft
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    import logbuch

    known = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=known, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    size = {"vocab_size": len(WORDS), "n_positions": 64, "n_embd": 32, "n_layer": 1, "n_head": 2}
    config = transformers.GPT2Config(**size, bos_token_id=1, eos_token_id=1, pad_token_id=0)
    adapter = peft.LoraConfig(
        r=4, target_modules=["c_attn"], init_lora_weights=False, task_type="CAUSAL_LM", fan_in_fan_out=True
    )
    network = peft.get_peft_model(transformers.GPT2LMHeadModel(config), adapter).eval()
    logbuch.transformers.save_model({"model": network, "tokenizer": tokenizer}, place)


@pytest.mark.slow
def test_texts_in_texts_out(tmp_path: Path) -> None:
    place = str(tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' and peft's own
        save(tmp_path / "model")
        with folders.fetched(place) as found:
            served = folders.load(found, place, allow_pickle=False)
        direct = served.loaded.predict(["once upon a", "the cat"], {"max_new_tokens": 5})

        async def ask(*bodies: Any) -> list[httpx.Response]:
            async with client(served) as http:
                return [await http.post("/invocations", json=body) for body in bodies]

        both, prompt, wrong = asyncio.run(
            ask(
                {"inputs": ["once upon a", "the cat"], "params": {"max_new_tokens": 5}},
                {"prompt": "once upon a", "max_new_tokens": 5},
                {"inputs": ["the cat"], "params": {"max_new_tokens": "many"}},
            )
        )
    assert both.json() == {"predictions": direct}
    assert prompt.json() == direct[:1]
    assert (wrong.status_code, wrong.json()["message"]) == (400, "Param 'max_new_tokens': 'many' is no long.")
