"""What the commands that ask a tracker have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

Command = TypeVar("Command", bound=Callable[..., Any])


def asks(command: Command) -> Command:
    """Gives a command the options ``--tracking-uri`` and ``--json``."""
    where = click.option(
        "--tracking-uri", metavar="URI", callback=connect_to, expose_value=False, help="A server's address or a folder."
    )
    return where(answers(command))


def answers(command: Command) -> Command:
    """Gives a command the option ``--json``, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")(command)


def connect_to(_context: click.Context, _option: click.Parameter, uri: str | None) -> None:
    if uri:
        from logbuch.sdk.fluent import set_tracking_uri

        set_tracking_uri(uri)


def print_json(answer: Any) -> None:
    """Prints an answer for programs. What is no number is null."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


def shown(value: float | None) -> str:
    """A number as people read it."""
    return "–" if value is None else f"{value:.6g}"
