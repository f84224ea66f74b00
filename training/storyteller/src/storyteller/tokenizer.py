"""Byte-level BPE: any text has tokens, and the tokens give the text back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from storyteller.errors import DataError
from storyteller.files import written

END = "<|endoftext|>"
_BYTES = 256


def train(stories: Iterable[str], vocab_size: int) -> Tokenizer:
    """Learns a vocabulary of at most ``vocab_size`` tokens, the one that ends a story among them."""
    if vocab_size <= _BYTES:
        raise DataError(f"Invalid vocabulary of {vocab_size} tokens: {_BYTES + 1} are the least, one for each byte.")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(stories, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, file: Path) -> None:
    with written(file) as place:
        place.write_text(tokenizer.to_str(pretty=True), encoding="utf-8")


def load(file: Path) -> Tokenizer:
    """``DataError`` if it is missing, damaged, or does not know the token that ends a story."""
    if not file.is_file():
        raise DataError(f"There is no tokenizer {file}: storyteller-tokenizer makes it.")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # noqa: BLE001  the library raises plain exceptions
        raise DataError(f"Tokenizer {file} cannot be read: {error}") from None
    end_of(tokenizer)
    return tokenizer


def end_of(tokenizer: Tokenizer) -> int:
    """The number of the token that ends a story."""
    number = tokenizer.token_to_id(END)
    if number is None:
        raise DataError(f"The tokenizer has no token {END}.")
    return number
