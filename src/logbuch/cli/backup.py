"""``logbuch backup`` and ``logbuch restore``: a store in one file, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from logbuch.cli import places
from logbuch.cli.progress import progress

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--no-artifacts", is_flag=True, help="Leave the artifacts out.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@places.of_store
def backup(file: Path, no_artifacts: bool, force: bool, **options: Any) -> None:
    """Write the database and its artifacts to FILE, while runs are being logged.

    The database is one snapshot: everything that was acknowledged before it is in it, and nothing of what came later.
    """
    from logbuch.files.roots import Files
    from logbuch.store import open_store
    from logbuch.transfer import backup as archive
    from logbuch.transfer.report import Report

    if file.exists() and not force:
        raise click.UsageError(f"{file} is there; --force replaces it.")
    where, report = places.existing(options), Report()
    files = None if no_artifacts else Files.at(where.roots[0], where.roots[1:])
    store = open_store(where.uri, seal=False)
    try:
        with progress({}) as told:
            archive.write(store, files, file, report, told)
    finally:
        store.close()
    _tell(report.lines(), bool(report.missing))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--no-artifacts", is_flag=True, help="Leave the artifacts out.")
@places.of_store
def restore(file: Path, no_artifacts: bool, **options: Any) -> None:
    """Fill an empty database and its artifact root from FILE, which `logbuch backup` wrote.

    The database may be of the other kind: a backup of SQLite can be restored into PostgreSQL, and the reverse.
    """
    from logbuch.files.roots import Files
    from logbuch.store import open_store
    from logbuch.transfer import backup as archive
    from logbuch.transfer.report import Report

    where, report = places.meant(options), Report()
    files = None if no_artifacts else Files.at(where.roots[0], where.roots[1:])
    store = open_store(where.uri, seal=False)
    try:
        with progress({}) as told:
            archive.restore(file, store, files, report, told)
    finally:
        store.close()
    _tell(report.lines(), bool(report.missing))


def _tell(lines: list[str], incomplete: bool) -> None:
    for line in lines:
        click.echo(line)
    sys.exit(1 if incomplete else 0)
