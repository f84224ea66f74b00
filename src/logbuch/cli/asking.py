"""What the commands that ask a tracker have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from logbuch.errors import StoreRefused

Command = TypeVar("Command", bound=Callable[..., Any])


def asks(command: Command) -> Command:
    """Gives a command that asks a tracker the options ``--tracking-uri`` and ``--json``.

    It makes no store where there is none: who asks in the wrong folder hears so, and no empty store is left there.
    """
    return _tracker(connect_to_existing)(answers(command))


def awaits(command: Command) -> Command:
    """Likewise for a command that may be started before the first training of a folder."""
    return _tracker(connect_to)(answers(command))


def _tracker(callback: Callable[..., None]) -> Callable[[Command], Command]:
    return click.option(
        "--tracking-uri", metavar="URI", callback=callback, expose_value=False, help="A server's address or a folder."
    )


def answers(command: Command) -> Command:
    """Gives a command the option ``--json``, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")(command)


def connect_to(_context: click.Context, _option: click.Parameter, uri: str | None) -> None:
    if uri:
        from logbuch.sdk.fluent import set_tracking_uri

        set_tracking_uri(uri)


def connect_to_existing(context: click.Context, option: click.Parameter, uri: str | None) -> None:
    connect_to(context, option, uri)
    if not context.resilient_parsing:
        need_store()


def need_store(uri: str | None = None) -> None:
    """Refuses to go on where the tracking URI, by default the one in force, means an embedded store that is not there.

    One whose database is not there yet, but journals are, is one: its first training was killed.
    """
    from logbuch.sdk.backends import place

    kept = place.understand(uri or place.current())
    if isinstance(kept, str) or kept.database.exists() or (kept.database.parent / place.JOURNALS).exists():
        return
    raise StoreRefused(
        f"There are no runs here: {kept.database} does not exist. Go to the folder that the training was started in, "
        "or name a server or a folder by --tracking-uri."
    )


def print_json(answer: Any) -> None:
    """Prints an answer for programs. What is no number is null."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


def shown(value: float | None) -> str:
    """A number as people read it."""
    return "–" if value is None else f"{value:.6g}"
