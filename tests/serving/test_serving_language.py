"""A language model with a LoRA adapter behind the scoring server: texts in, texts out."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest

import logbuch
from logbuch.serving import folder as folders
from support.language import language_model
from support.scoring import client

DRAWN = {"max_new_tokens": 6, "do_sample": True, "seed": 3}


@pytest.mark.slow
def test_texts_in_texts_out(tmp_path: Path) -> None:
    place = str(tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' and peft's own
        logbuch.transformers.save_model(language_model(adapted=True), tmp_path / "model")
        with folders.fetched(place) as found:
            served = folders.load(found, place, allow_pickle=False)
        direct = served.loaded.predict(["once upon a", "the cat"], {"max_new_tokens": 5})

        async def ask(*bodies: Any) -> list[httpx.Response]:
            async with client(served) as http:
                return [await http.post("/invocations", json=body) for body in bodies]

        both, prompt, wrong, first, again = asyncio.run(
            ask(
                {"inputs": ["once upon a", "the cat"], "params": {"max_new_tokens": 5}},
                {"prompt": "once upon a", "max_new_tokens": 5},
                {"inputs": ["the cat"], "params": {"max_new_tokens": "many"}},
                {"inputs": ["once upon a", "the cat"], "params": DRAWN},
                {"prompt": "the cat", **DRAWN},
            )
        )
    assert both.json() == {"predictions": direct}
    assert prompt.json() == direct[:1]
    assert (wrong.status_code, wrong.json()["message"]) == (400, "Param 'max_new_tokens': 'many' is no long.")
    assert first.json()["predictions"][1:] == again.json()
