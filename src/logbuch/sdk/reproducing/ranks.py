"""Trainings of several processes, of which the recorded one was the first: alone it would wait for the others."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from logbuch.sdk.reproducing.problems import Problem

SIZE = "WORLD_SIZE"
_LAUNCHER = (SIZE, "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What a launcher tells each of its processes; see https://docs.pytorch.org/docs/stable/elastic/run.html."""
_DIGITS = 6


def count(variables: Mapping[str, str]) -> int:
    """How many processes trained together, by the recorded variables."""
    told = variables.get(SIZE, "")
    return int(told) if told.isascii() and told.isdigit() and len(told) <= _DIGITS else 1


def without(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables without those of a launcher of several processes."""
    many = count(variables) > 1
    return {name: value for name, value in variables.items() if not (many and name in _LAUNCHER)}


def missing(variables: Mapping[str, str], argv: Sequence[str]) -> list[Problem]:
    """That the others are missing, and a command that starts all."""
    processes = count(variables)
    if processes < 2:
        return []
    program = [part for part in argv[1:] if part != "-u"]
    all_of_them = shlex.join(["torchrun", "--nproc-per-node", str(processes), *program])
    return [
        Problem(
            missing=f"It was one of {processes} processes that trained together ({SIZE}={processes}).",
            help=f"Start all, such as by --command {shlex.quote(all_of_them)}; --anyway runs one alone.",
            code=True,
        )
    ]
