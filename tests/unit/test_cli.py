"""The command line as a whole: every command is there, and help costs no database library."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from logbuch.cli import main
from logbuch.cli.main import cli
from logbuch.store import open_store

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
    done = CliRunner().invoke(cli, ["sever", "--port", "5000"])
    assert done.exit_code == 2
    assert "No such command 'sever'. Did you mean 'server'?" in done.output


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["import", "--help"], ["check", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from logbuch.cli.main import cli; cli.main(sys.argv[1:], standalone_mode=False);"
        f"found = [name for name in {HEAVY!r} if name in sys.modules]; assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "some/file")

    monkeypatch.setattr(cli, "main", full)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "logbuch: some/file: No space left on device\n"


LASTING = {"mcp", "run", "server", "ui", "models serve"}
"""Commands that go on until they are ended, and answer nothing."""
ALREADY = {"models predict"}
"""Commands whose only answer is JSON."""


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """The command and those below it that do something, by the words that call them."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, (*path, name))


def test_every_command_that_answers_can_answer_in_json() -> None:
    found = dict(commands(cli))
    assert found.keys() >= LASTING | ALREADY
    with_json = {name for name, one in found.items() if any("--json" in option.opts for option in one.params)}
    assert with_json == found.keys() - LASTING - ALREADY


def test_commands_about_a_store_answer_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOGBUCH_TRACKING_URI", raising=False)
    open_store("sqlite:///runs.db").close()
    where = ["--backend-store-uri", "sqlite:///runs.db", "--json"]
    checked = answered("db", "check", *where)
    assert (checked["counts"]["runs"], checked["faults"]) == (0, [])
    assert {"well", "what", "text"} == answered("doctor", *where)[0].keys()
    assert answered("backup", "all.tar", *where)["missing"] == []
    assert answered("restore", "all.tar", "--backend-store-uri", "sqlite:///other.db", "--json")["missing"] == []
    assert answered("export", "out", *where)["complete"] is True
    assert (
        answered("import", "export", "out", "--backend-store-uri", "sqlite:///third.db", "--json")["complete"] is True
    )
    assert answered("sync", str(tmp_path), "--json") == []


def answered(*words: str) -> Any:
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)
