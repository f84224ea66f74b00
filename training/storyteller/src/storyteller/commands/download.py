"""``storyteller-download``: brings raw texts into a folder."""

from __future__ import annotations

import re
from pathlib import Path

import click

from storyteller.commands import one_line
from storyteller.data import sources
from storyteller.errors import DataError
from storyteller.files import written

_UNSAFE = re.compile(r"[^\w.-]+")


@click.command()
@click.option("--source", type=click.Choice(["novels", "files", "hub"]), default="novels", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("data/raw"), show_default=True)
@click.option("--file", "files", type=click.Path(path_type=Path), multiple=True, help="A file or folder of stories.")
@click.option("--folder", "folders", type=click.Path(path_type=Path), multiple=True, help="Where novels are unpacked.")
@click.option("--dataset", default="roneneldan/TinyStories", show_default=True, help="A data set of the hub.")
@click.option("--split", default="train", show_default=True)
@click.option("--column", default="text", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many texts.")
@one_line
def main(
    source: str,
    output: Path,
    files: tuple[Path, ...],
    folders: tuple[Path, ...],
    dataset: str,
    split: str,
    column: str,
    limit: int | None,
) -> None:
    """Brings texts into a folder, one file each: novels that packages carry, local files, or a data set of the hub."""
    if source == "files" and not files:
        raise DataError("--source files wants --file.")
    texts = {
        "novels": lambda: sources.novels(folders),
        "files": lambda: sources.files(files),
        "hub": lambda: sources.hub(dataset, split, column),
    }[source]()
    count = size = 0
    for count, (name, text) in enumerate(texts, 1):
        size += len(text)
        safe = _UNSAFE.sub("_", name)
        with written(output / (safe if "." in safe else f"{safe}.txt")) as place:
            place.write_text(text, encoding="utf-8")
        if count == limit:
            break
    if not count:
        raise DataError("There is nothing to bring: no .txt or .jsonl file was found.")
    click.echo(f"{count} texts with {size:,} characters are in {output}.")
