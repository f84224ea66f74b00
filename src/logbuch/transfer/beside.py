"""Noticing an MLflow installation that lies where Logbuch is started, so that its owner hears how it moves in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from logbuch.transfer.sources.mlruns import is_mlruns

_HEAD_BYTES = 1024 * 1024
_SQLITE, _MARKS = b"SQLite format 3\0", (b"alembic_version", b"run_uuid", b"latest_metrics")
"""How a SQLite file begins, and names that the schema of an MLflow database holds, which stands near its beginning."""


def hint(folder: Path) -> str | None:
    """One line for the MLflow installations in a folder; None if there is none."""
    found = [shlex.quote(place.name) for place in installations(folder)]
    if not found:
        return None
    commands = " and ".join(f"logbuch import mlflow {name}" for name in found)
    return f"MLflow's {' and '.join(found)} lies here. What is in it moves in with: {commands}"


def installations(folder: Path) -> Iterator[Path]:
    """The databases of MLflow's that lie in a folder, and its ``mlruns``."""
    try:
        files = sorted(file for file in folder.glob("*.db") if file.is_file())
    except OSError:
        return
    yield from filter(_is_database, files)
    if is_mlruns(folder / "mlruns"):
        yield folder / "mlruns"


def _is_database(file: Path) -> bool:
    try:
        with file.open("rb") as content:
            head = content.read(_HEAD_BYTES)
    except OSError:
        return False
    return head.startswith(_SQLITE) and all(mark in head for mark in _MARKS)
