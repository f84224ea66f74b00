"""Answers that a model gives to the prompts of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from rows import Row


@torch.no_grad()  # type: ignore[untyped-decorator]
def answer(model: Any, tokenizer: Any, rows: Sequence[Row], most: int) -> list[str]:
    """The likeliest next tokens for each prompt, at most ``most``, up to the end-of-sequence token."""
    before = model.training
    model.eval()
    given = []
    for row in rows:
        asked = tokenizer(row.prompt, return_tensors="pt").to(model.device)
        asked.pop("token_type_ids", None)
        made = model.generate(
            **asked, max_new_tokens=most, do_sample=False, use_cache=True, pad_token_id=tokenizer.pad_token_id,
            temperature=None, top_p=None, top_k=None,
        )  # fmt: skip
        given.append(tokenizer.decode(made[0, asked["input_ids"].shape[1] :], skip_special_tokens=True).strip())
    model.train(before)
    return given


def side_by_side(rows: Sequence[Row], answers: dict[str, Sequence[str]]) -> str:
    """Questions, reference answers and those of several models, as Markdown."""
    parts = []
    for number, row in enumerate(rows):
        lines = [f"## {row.question}", "", f"**reference:** {row.reference}", ""]
        for name, given in answers.items():
            lines += [f"**{name}:** {given[number] or '(nothing)'}", ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)
