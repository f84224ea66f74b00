"""``logbuch top``: running runs, live in the terminal."""

from __future__ import annotations

import contextlib
import sys

import click

from logbuch.cli.asking import awaits, print_json
from logbuch.errors import Unavailable


@click.command()
@click.option("--experiment", metavar="NAME", help="Only the runs of an experiment, by its name or ID.")
@click.option("--all", "ended", is_flag=True, help="Runs that ended within a day too.")
@click.option("--once", is_flag=True, help="Print the table once, as text.")
@awaits
def top(experiment: str | None, ended: bool, once: bool, as_json: bool) -> None:
    """Watch running runs: status, step, main metric, speed, GPUs, stability and alerts.

    Refreshed every 2 seconds. Enter opens a run, q quits. The live view needs the package textual:
    pip install 'logbuch[top]'; --once and --json do not.
    """
    from logbuch.terminal.looking import Looker

    if not (once or as_json):
        _live(experiment, ended)
        return
    look = Looker(experiment, ended=ended).look()
    if as_json:
        print_json(look)
        return
    from logbuch.terminal.printing import print_once

    print_once(look, one_experiment=experiment is not None)


def _live(experiment: str | None, ended: bool) -> None:
    try:
        from logbuch.terminal.app import Top
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        click.echo("logbuch top needs the package textual: pip install 'logbuch[top]'", err=True)
        sys.exit(1)
    if not sys.stdout.isatty():
        raise click.UsageError("The live view needs a terminal: say --once or --json.")
    from logbuch.terminal.looking import Looker

    looker = Looker(experiment, ended=ended)
    with contextlib.suppress(Unavailable):  # the view says so, and goes on trying
        looker.check()
    Top(looker, one_experiment=experiment is not None).run()
