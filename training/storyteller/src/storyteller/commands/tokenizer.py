"""``storyteller-tokenizer``: learns a byte-level BPE vocabulary."""

from __future__ import annotations

from pathlib import Path

import click

from storyteller import tokenizer as tokenizers
from storyteller.commands import one_line
from storyteller.data import stories


@click.command()
@click.option("--input", "file", type=click.Path(path_type=Path), default=Path("data/train.jsonl"), show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("data/tokenizer.json"), show_default=True)
@click.option("--vocab-size", type=int, default=4096, show_default=True)
@one_line
def main(file: Path, output: Path, vocab_size: int) -> None:
    """Learns the vocabulary of a file of stories."""
    tokenizer = tokenizers.train(stories.read(file), vocab_size)
    tokenizers.save(tokenizer, output)
    click.echo(f"A vocabulary of {tokenizer.get_vocab_size()} tokens is in {output}.")
