"""``storyteller-generate``: lets a model write."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from storyteller import weights
from storyteller.commands import one_line
from storyteller.devices import named
from storyteller.generation import Sampling, generate


@click.command()
@click.option("--model", "folder", type=click.Path(path_type=Path), required=True, help="A checkpoint, or a model.")
@click.option("--prompt", "prompts", multiple=True, help="How the text begins; those of the configuration if none.")
@click.option("--max-new-tokens", type=click.IntRange(min=1))
@click.option("--temperature", type=click.FloatRange(min=0), help="0 takes the likeliest token.")
@click.option("--top-k", type=click.IntRange(min=0), help="0 looks at all tokens.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True))
@click.option("--repetition-penalty", type=click.FloatRange(0, min_open=True))
@click.option("--seed", type=click.IntRange(min=0))
@click.option("--device", default="cpu", show_default=True)
@click.option("--no-cache", is_flag=True, help="Compute every position again for every token: slow, for comparison.")
@one_line
def main(folder: Path, prompts: tuple[str, ...], device: str, no_cache: bool, **given: float | None) -> None:
    """Writes texts, each behind its prompt. What is not given is as in the model's configuration."""
    loaded = weights.load(folder, str(named("--device", device)))
    changes = {key: value for key, value in given.items() if value is not None}
    sampling = dataclasses.replace(Sampling.of(loaded.generation), **changes)  # type: ignore[arg-type]
    for prompt in prompts or tuple(loaded.generation.prompts):
        click.echo(generate(loaded.model, loaded.tokenizer, prompt, sampling, cached=not no_cache))
