"""``storyteller-train``: trains a model, or says what that would take."""

from __future__ import annotations

import click

from storyteller import configfile, estimate
from storyteller.commands import one_line


@click.command()
@click.option("--config", "name", required=True, help="A YAML file, or the name of a shipped one.")
@click.option("--resume", default="", help="A checkpoint's folder, or `latest`.")
@click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="Overrides a key; often.")
@click.option("--dry-run", is_flag=True, help="Print parameters, memory and tokens, and end.")
@one_line
def main(name: str, resume: str, overrides: tuple[str, ...], dry_run: bool) -> None:
    """Trains a model by a configuration."""
    config = configfile.load(name, overrides)
    if dry_run:
        for line in estimate.estimate(config).lines():
            click.echo(line)
        return
    from storyteller.train import train

    train(config, resume)
