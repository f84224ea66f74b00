"""The recorded command line, as arguments that mean the same in another folder."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from logbuch.sdk.recording.redaction import HIDDEN
from logbuch.sdk.reproducing.problems import Problem
from logbuch.sdk.reproducing.recorded import Recorded

_GIVE = "Give the command yourself: --command 'python …'."


def parsed(recorded: Recorded, given: str | None) -> list[str] | Problem:
    """The command line as arguments; no shell reads it."""
    text = given or recorded.command
    if recorded.notebook and not given:
        return _stop("The run came from a notebook, which has no command.")
    if not text:
        script = f" (its script was {recorded.source})" if recorded.source else ""
        return _stop(f"The run has recorded no command{script}.")
    try:
        argv = shlex.split(text)
    except ValueError as error:
        return _stop(f"The command line cannot be read: {error}.")
    if not argv:
        return _stop("The command line is empty.")
    if not given and any(HIDDEN in argument for argument in argv):
        return _stop(f"Of the command line secrets were hidden, *** stands for them: {text}")
    if not given and argv[1:2] == ["-c"] and argv[0] == "python":
        return argv
    if argv == ["python"] or argv[:2] == ["python", "-"]:
        return _stop("The program was typed in or came from standard input.")
    return argv


def moved(argv: Sequence[str], start: Path | None, places: Callable[[Path], Path | None]) -> list[str]:
    """The arguments with paths in their new places. ``places`` tells the new place of an old absolute path.

    ``start`` is the old folder that relative paths were meant from; with None they are meant from the new one too.
    """
    return [argv[0], *(_moved(argument, start, places) for argument in argv[1:])]


def _moved(argument: str, start: Path | None, places: Callable[[Path], Path | None]) -> str:
    option, equals, value = argument.partition("=")
    prefix, text = (option + equals, value) if equals and argument.startswith("-") else ("", argument)
    if not text or text.startswith("-"):
        return argument
    path = Path(text)
    if not path.is_absolute():
        if start is None:
            return argument
        path = start / path
    place = places(Path(os.path.normpath(path)))
    return argument if place is None else prefix + str(place)


def below(path: Path, root: Path | None) -> PurePosixPath | None:
    """A path as seen from ``root``; None where it is not below."""
    if root is None or not path.is_relative_to(root):
        return None
    return PurePosixPath(*path.relative_to(root).parts)


def _stop(missing: str) -> Problem:
    return Problem(missing=missing, help=_GIVE, stops=True)
