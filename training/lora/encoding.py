"""Rows as tokens: only answers are learned, found by the tokens' offsets in the text; several rows in one sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from problems import Problem
from rows import Row

IGNORED = -100
"""The label of tokens that are not learned."""

Example = dict[str, list[int]]
"""``input_ids``, ``labels`` and ``position_ids`` of equal length."""


@dataclass(frozen=True)
class Encoded:
    """Rows that fit, and how many did not."""

    examples: list[Example]
    rows: list[Row]
    dropped: int

    @property
    def tokens(self) -> int:
        return sum(len(example["input_ids"]) for example in self.examples)

    @property
    def learned(self) -> int:
        return sum(count_learned(example) for example in self.examples)


def count_learned(example: Example) -> int:
    return sum(label != IGNORED for label in example["labels"])


def encode_row(row: Row, tokenizer: Any) -> Example:
    """A row with the end-of-sequence token; a token is learned if it covers a character of an answer."""
    encoded = tokenizer(row.text, return_offsets_mapping=True)
    ids = list(encoded["input_ids"])
    labels = [
        token if any(begin < stop and end > start for start, stop in row.answers) and end > begin else IGNORED
        for token, (begin, end) in zip(ids, encoded["offset_mapping"], strict=True)
    ]
    if all(label == IGNORED for label in labels):
        raise Problem(f"{row.where}: the tokenizer makes no token of the answer")
    if ids[-1] == tokenizer.eos_token_id:
        labels[-1] = ids[-1]
    elif tokenizer.eos_token_id is not None:
        ids.append(tokenizer.eos_token_id)
        labels.append(tokenizer.eos_token_id)
    return {"input_ids": ids, "labels": labels, "position_ids": list(range(len(ids)))}


def encode(rows: Iterable[Row], tokenizer: Any, longest: int, too_long: str = "error") -> Encoded:
    """All rows; one of more than ``longest`` tokens is dropped or a :class:`Problem`. It is never cut: an answer
    without its end, or a question without its context, would be learned."""
    examples, kept, dropped = [], [], 0
    for row in rows:
        example = encode_row(row, tokenizer)
        if len(example["input_ids"]) <= longest:
            examples.append(example)
            kept.append(row)
        elif too_long == "drop":
            dropped += 1
        else:
            length = len(example["input_ids"])
            raise Problem(
                f"{row.where}: {length} tokens do not fit --max_seq_length {longest}; raise it, or --too_long drop"
            )
    if not examples:
        raise Problem(f"no row fits --max_seq_length {longest}")
    return Encoded(examples, kept, dropped)


def pack(examples: Sequence[Example], longest: int) -> list[Example]:
    """Examples side by side in sequences of at most ``longest`` tokens, in their order, each into the first sequence
    of the last few that has room. Positions begin anew with each, by which attention keeps them apart."""
    open_ones: list[Example] = []
    packed: list[Example] = []
    for example in examples:
        fitting = (one for one in open_ones if len(one["input_ids"]) + len(example["input_ids"]) <= longest)
        target = next(fitting, None)
        if target is None:
            target = {"input_ids": [], "labels": [], "position_ids": []}
            packed.append(target)
            open_ones = [*open_ones[-15:], target]
        first = [IGNORED, *example["labels"][1:]]  # nothing predicts the first token of a row
        for key, values in (example | {"labels": first}).items():
            target[key].extend(values)
    return packed


@dataclass(frozen=True)
class Collator:
    """Pads a batch on the right. With ``packed`` the mask is left out: positions that begin anew tell the rows, and the
    padding, apart."""

    pad_token_id: int
    packed: bool = False

    def __call__(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        longest = max(len(example["input_ids"]) for example in examples)
        ids, labels, positions, mask = [], [], [], []
        for example in examples:
            length = len(example["input_ids"])
            missing = longest - length
            ids.append([*example["input_ids"], *[self.pad_token_id] * missing])
            labels.append([*example["labels"], *[IGNORED] * missing])
            positions.append([*example["position_ids"], *range(missing)])
            mask.append([1] * length + [0] * missing)
        batch = {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels)}
        more = {"position_ids": torch.tensor(positions)} if self.packed else {"attention_mask": torch.tensor(mask)}
        return batch | more
