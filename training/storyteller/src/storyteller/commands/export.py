"""``storyteller-export``: a model as transformers reads it."""

from __future__ import annotations

from pathlib import Path

import click

from storyteller import huggingface, weights
from storyteller.commands import one_line


@click.command()
@click.option("--model", "folder", type=click.Path(path_type=Path), required=True, help="A checkpoint, or a model.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A folder that is not there yet.")
@one_line
def main(folder: Path, output: Path) -> None:
    """Writes a model as a folder that AutoModelForCausalLM and AutoTokenizer load."""
    architecture = huggingface.export(weights.load(folder), output)
    click.echo(f"{architecture} is in {output}.")
