"""The command line as a whole: every command is there, and help costs no database library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from logbuch.cli import main
from logbuch.cli.main import cli

HEAVY = ("numpy", "pandas", "sqlalchemy", "torch", "starlette", "uvicorn", "logbuch.store", "logbuch.server.app")


def test_every_command_says_what_it_does() -> None:
    context = click.Context(cli)
    names = cli.list_commands(context)
    assert {"ui", "server", "run", "best", "check", "diff", "import", "export", "gc"} <= set(names)
    for name in names:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str(), name


def test_every_module_of_commands_is_in_the_table() -> None:
    package = Path(main.__file__).parent
    decorated = {file.stem for file in package.glob("*.py") if "@click.command" in file.read_text("utf-8")}
    assert decorated <= {place.partition(":")[0] for place in main._COMMANDS.values()} | {"child"}


def test_an_unknown_command_is_refused() -> None:
    done = CliRunner().invoke(cli, ["fly"])
    assert done.exit_code == 2
    assert "No such command 'fly'" in done.output


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["import", "--help"], ["check", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from logbuch.cli.main import cli; cli.main(sys.argv[1:], standalone_mode=False);"
        f"found = [name for name in {HEAVY!r} if name in sys.modules]; assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
