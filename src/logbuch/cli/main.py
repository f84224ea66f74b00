"""The ``logbuch`` command."""

from __future__ import annotations

import difflib
import importlib
import sys

import click

from logbuch.errors import LogbuchError
from logbuch.version import __version__

_COMMANDS = {
    "alerts": "alerts:alerts",
    "artifacts": "artifacts:artifacts",
    "backup": "backup:backup",
    "best": "best:best",
    "check": "check:check",
    "cost": "cost:cost",
    "db": "db:db",
    "diff": "diff:diff",
    "doctor": "doctor:doctor",
    "export": "export:export",
    "gc": "gc:gc",
    "import": "importing:group",
    "mcp": "mcp:mcp",
    "models": "models:models",
    "reproduce": "reproduce:reproduce",
    "restore": "backup:restore",
    "run": "run:run",
    "runs": "runs:runs",
    "server": "server:server",
    "sync": "sync:sync",
    "top": "top:top",
    "ui": "server:ui",
    "webhooks": "webhooks:webhooks",
}
"""Where each command lies: a module of this package, and the name of the command in it."""


class _Commands(click.Group):
    """Loads a command when it is wanted, so that none pays for what another imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, _, name = _COMMANDS.get(cmd_name, "").partition(":")
        if not module:
            meant = difflib.get_close_matches(cmd_name, _COMMANDS, 1)
            return ctx.fail(f"No such command {cmd_name!r}. Did you mean {meant[0]!r}?") if meant else None
        command: click.Command = getattr(importlib.import_module(f"logbuch.cli.{module}"), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="logbuch")
def cli() -> None:
    """Logbuch: a self-hosted experiment tracker that speaks MLflow's protocol."""


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
    except OSError as error:  # such as a full disk, or a folder that nobody may write
        click.echo(f"logbuch: {error.filename or ''}: {error.strerror or error}".replace(": : ", ": "), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
