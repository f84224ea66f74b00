"""``storyteller-preprocess``: from raw texts to stories for training and validation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from storyteller.commands import one_line
from storyteller.data import cleaning, sources, stories
from storyteller.errors import DataError


@click.command()
@click.option("--input", "folder", type=click.Path(path_type=Path), default=Path("data/raw"), show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("data"), show_default=True)
@click.option("--val-fraction", type=click.FloatRange(0, 0.5), default=0.05, show_default=True)
@click.option("--min-words", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--seed", type=int, default=42, show_default=True)
@one_line
def main(folder: Path, output: Path, val_fraction: float, min_words: int, seed: int) -> None:
    """Cleans texts, splits them at chapters, drops what is short or there twice, and deals out train.jsonl and
    val.jsonl."""
    found = cleaning.prepared(_texts(folder), val_fraction=val_fraction, min_words=min_words, seed=seed)
    if not found.train or (val_fraction and not found.val):
        raise DataError(f"{folder} has too few stories of {min_words} words: {len(found.train) + len(found.val)}.")
    stories.write(output / "train.jsonl", found.train)
    stories.write(output / "val.jsonl", found.val)
    click.echo(
        f"{len(found.train)} stories to train and {len(found.val)} to validate are in {output}; "
        f"{found.short} were too short, {found.doubles} there twice."
    )


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for name, text in sources.files([folder]):
        if not name.endswith(".jsonl"):
            yield name, text
    for file in sorted(folder.rglob("*.jsonl")) if folder.is_dir() else [folder]:
        if file.suffix == ".jsonl":
            yield file.name, "\n\nCHAPTER 1\n\n".join(stories.read(file))
