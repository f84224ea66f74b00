"""What the commands that ask a tracker have in common."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click
import msgspec

from logbuch.errors import NotFound, StoreRefused

SHOWN_RUNS = 3
_UNKNOWN_RUN = re.compile(r"Run with id=(.*) not found", re.DOTALL)
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


@contextlib.contextmanager
def knowing_runs() -> Iterator[None]:
    """Where a run is not there, says what would help: a run of that name, or where IDs stand."""
    try:
        yield
    except NotFound as error:
        match = _UNKNOWN_RUN.fullmatch(error.message)
        if match is None:
            raise
        raise NotFound(f"There is no run {match[1]!r}.{_named(match[1])}") from None


def _named(name: str) -> str:
    """Which runs bear that name."""
    from logbuch.sdk.answers import runs_named

    found = runs_named(name, SHOWN_RUNS)
    if not found:
        return " The page shows the IDs of runs, and so does logbuch best EXPERIMENT."
    return f" Of this name {'is' if len(found) == 1 else 'are'} {', '.join(found)}."


def print_json(answer: Any) -> None:
    """Prints an answer for programs. What is no number is null."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


def shown(value: float | None) -> str:
    """A number as people read it."""
    return "–" if value is None else f"{value:.6g}"
