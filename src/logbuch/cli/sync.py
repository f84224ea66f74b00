"""``logbuch sync``: sends what trainings have left on the disk."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click

from logbuch.cli.asking import answers, print_json
from logbuch.errors import LogbuchError


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tracking-uri", metavar="URI", help="Send there, and not to where the records were meant to go.")
@click.option("--again", is_flag=True, help="Also what was acknowledged: for a server restored from a backup.")
@answers
def sync(folders: tuple[Path, ...], tracking_uri: str | None, again: bool, as_json: bool) -> None:
    """Send what is left in journals of trainings that have ended.

    FOLDER is a journal, a folder of journals or a .logbuch folder, also one that was copied from another machine.
    Without one: all journals of this user, and those in ./.logbuch and beside the database that LOGBUCH_TRACKING_URI
    names. What a server has already is not stored twice.
    """
    from logbuch.sdk.connection import open_backend
    from logbuch.sdk.shipping.leftovers import NAMELESS, places_below, send

    # Those that log to runs of others come after those that bring the runs.
    found = sorted(places_below(folders or _usual(), again=again), key=lambda item: bool(item[0].state().needs))
    told: list[_Told] = []
    if not found and not as_json:
        click.echo("Nothing is left to be sent.")
    for folder, place in found:
        target = tracking_uri or place
        if not target:
            told.append(_Told(str(folder.path), f"not sent: {NAMELESS}", left=True))
            _say(told[-1], as_json=as_json, err=True)
            continue
        try:
            backend = open_backend(target)
        except LogbuchError as error:
            told.append(_Told(str(folder.path), f"not sent: {error.message}", left=True))
            _say(told[-1], as_json=as_json, err=True)
            continue
        try:
            outcome = send(folder, backend, anywhere=True)
        finally:
            backend.close()
        if outcome is None:
            told.append(_Told(str(folder.path), "its process is still running, and sends it itself", left=False))
        else:
            told.append(_report(outcome, target))
        _say(told[-1], as_json=as_json)
    if as_json:
        print_json([one._asdict() for one in told])
    sys.exit(1 if any(one.left for one in told) else 0)


class _Told(NamedTuple):
    """What became of a journal, in words, and whether something of it is left here."""

    journal: str
    outcome: str
    left: bool
    sent: int = 0
    files: int = 0
    refused: int = 0


def _say(told: _Told, *, as_json: bool, err: bool = False) -> None:
    if not as_json:
        click.echo(f"{told.journal}: {told.outcome}", err=err)


def _report(outcome: object, target: str) -> _Told:
    """What became of a journal that was sent."""
    from logbuch.sdk.shipping.leftovers import Outcome

    assert isinstance(outcome, Outcome)
    nothing = not (outcome.sent or outcome.files or outcome.refused or outcome.files_left or outcome.why)
    parts = [f"{target} has all of it" if nothing else f"{outcome.sent} records sent to {target}"]
    if outcome.files:
        parts.append(f"{outcome.files} files sent")
    if outcome.refused:
        parts.append(f"{len(outcome.refused)} refused ({outcome.refused[0]})")
    if outcome.ended:
        parts.append(f"{outcome.ended} runs ended as KILLED, for their process is gone")
    if outcome.damaged:
        parts.append(f"{outcome.damaged} records of it could not be read, for the file was damaged")
    parts += outcome.notes
    if outcome.files_left:
        parts.append(f"{outcome.files_left} files could not be sent")
    if outcome.why is not None:
        parts.append(f"the rest stays: {outcome.why}")
    left = outcome.why is not None or bool(outcome.files_left)
    counts = (outcome.sent, outcome.files, len(outcome.refused))
    return _Told(str(outcome.folder.path), ", ".join(parts), left, *counts)


def _usual() -> Iterable[Path]:
    from logbuch import settings
    from logbuch.sdk.backends.place import FOLDER, JOURNALS, Embedded, understand, used_roots

    places = [Path(FOLDER)]
    if uri := settings.TRACKING_URI.get():
        named = understand(str(uri))
        places += [named.database.parent] if isinstance(named, Embedded) else []
    beside = dict.fromkeys(place.absolute() / JOURNALS for place in places)
    return [*used_roots(), *(root for root in beside if root.is_dir())]
