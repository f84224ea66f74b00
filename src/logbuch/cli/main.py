"""The ``logbuch`` command."""

from __future__ import annotations

import sys

import click

from logbuch.cli import artifacts, backup, best, check, db, diff, doctor, export, gc, importing, run, server, sync
from logbuch.errors import LogbuchError
from logbuch.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="logbuch")
def cli() -> None:
    """Logbuch: a self-hosted experiment tracker that speaks MLflow's protocol."""


cli.add_command(server.server)
cli.add_command(server.ui)
cli.add_command(artifacts.artifacts)
cli.add_command(gc.gc)
cli.add_command(best.best)
cli.add_command(check.check)
cli.add_command(diff.diff)
cli.add_command(run.run)
cli.add_command(sync.sync)
cli.add_command(importing.group)
cli.add_command(export.export)
cli.add_command(backup.backup)
cli.add_command(backup.restore)
cli.add_command(db.db)
cli.add_command(doctor.doctor)


def main() -> None:
    """Runs the command line; what is refused is one line and an exit code that is not 0."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LogbuchError as error:
        click.echo(f"logbuch: {error.message}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
