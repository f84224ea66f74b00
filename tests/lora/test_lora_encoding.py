"""Tokens: what is learned, what is padding, several rows in one sequence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import rows
import torch
from encoding import IGNORED, Collator, Encoded, encode, encode_row, pack
from loading import load_tokenizer, set_padding
from losses import Total, add, row_losses
from problems import Problem


def tokenizer(material: Any) -> Any:
    return load_tokenizer(str(material.model))


def some(material: Any, count: int = 6) -> list[rows.Row]:
    return rows.read(material.data / "train.jsonl", count)


def test_the_answer_and_the_end_are_learned_and_nothing_else(material: Any) -> None:
    known = tokenizer(material)
    for row in some(material):
        example = encode_row(row, known)
        ids, labels = example["input_ids"], example["labels"]
        assert [label for label in labels if label != IGNORED][-1] == known.eos_token_id
        assert known.decode([label for label in labels if label != IGNORED][:-1]).strip() == row.reference
        first = next(number for number, label in enumerate(labels) if label != IGNORED)
        assert known.decode(ids[:first]) == row.prompt
        assert labels[first:] == ids[first:]
        assert known.decode(ids[:-1]) == row.text


def test_an_answer_that_also_stands_in_the_context(material: Any) -> None:
    row = rows._question({"context": "yes yes", "question": "yes?", "reference_answer": "yes"}, "here")
    example = encode_row(row, tokenizer(material))
    learned = [number for number, label in enumerate(example["labels"]) if label != IGNORED]
    assert learned == list(range(learned[0], len(example["labels"])))
    assert tokenizer(material).decode(example["input_ids"][learned[0] : -1]).strip() == "yes"


def test_the_padding_token_is_never_the_end(material: Any) -> None:
    known = tokenizer(material)
    assert known.pad_token == "<unk>"
    known.pad_token = known.eos_token
    set_padding(known)
    assert known.pad_token_id != known.eos_token_id
    known.unk_token, known.pad_token = None, None
    set_padding(known)
    assert known.pad_token == "<|pad|>"
    assert known.pad_token_id != known.eos_token_id


def test_rows_that_are_too_long(material: Any) -> None:
    known, found = tokenizer(material), some(material)
    lengths = [len(encode_row(row, known)["input_ids"]) for row in found]
    longest = sorted(lengths)[2]
    with pytest.raises(Problem, match=rf"line \d: \d+ tokens do not fit --max_seq_length {longest}"):
        encode(found, known, longest)
    encoded = encode(found, known, longest, "drop")
    assert len(encoded.rows) == sum(length <= longest for length in lengths)
    assert encoded.dropped == len(found) - len(encoded.rows)
    with pytest.raises(Problem, match="no row fits"):
        encode(found, known, 8, "drop")


def losses(model: Any, examples: list[Any], collate: Collator) -> Total:
    total = Total()
    sums, counts = row_losses(model, collate(examples))
    add(total, sums.tolist(), counts.tolist())
    return total


def network(material: Any) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(material.model, dtype=torch.float32).eval()


def test_packed_rows_do_not_see_each_other(material: Any) -> None:
    known, model = tokenizer(material), network(material)
    encoded: Encoded = encode(some(material, 8), known, 512)
    packed = pack(encoded.examples, 256)
    assert len(packed) < len(encoded.examples)
    assert all(len(one["input_ids"]) <= 256 for one in packed)
    assert sum(len(one["input_ids"]) for one in packed) == encoded.tokens
    apart = losses(model, encoded.examples, Collator(known.pad_token_id))
    together = losses(model, packed, Collator(known.pad_token_id, packed=True))
    assert together.tokens == apart.tokens
    assert math.isclose(together.loss, apart.loss, rel_tol=1e-4)


def test_the_loss_is_a_mean_over_tokens(material: Any) -> None:
    known, model = tokenizer(material), network(material)
    examples = encode(some(material, 4), known, 512).examples
    whole = losses(model, examples, Collator(known.pad_token_id))
    alone = [losses(model, [example], Collator(known.pad_token_id)) for example in examples]
    assert whole.tokens == sum(one.tokens for one in alone)
    assert math.isclose(whole.loss, sum(one.loss for one in alone), rel_tol=1e-4)
    batch = Collator(known.pad_token_id)(examples)
    assert math.isclose(whole.mean, model(**batch).loss.item(), rel_tol=1e-4)
    assert math.isclose(whole.perplexity, math.exp(whole.mean))


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot load the model"):
        load_tokenizer(str(tmp_path / "nothing"))
