"""``logbuch backup`` and ``logbuch restore``: a store in one file, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logbuch.cli import places
from logbuch.cli.asking import answers, print_json
from logbuch.cli.progress import progress

if TYPE_CHECKING:
    from logbuch.transfer.report import Report

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--no-artifacts", is_flag=True, help="Leave the artifacts out.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@places.of_store
@answers
def backup(file: Path, no_artifacts: bool, force: bool, as_json: bool, **options: Any) -> None:
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
    if not no_artifacts:
        places.need_root(options, where)
    files = None if no_artifacts else Files.at(where.roots[0], where.roots[1:])
    store = open_store(where.uri, seal=False)
    try:
        with progress({}) as told:
            archive.write(store, files, file, report, told)
    finally:
        store.close()
    _tell(report, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--no-artifacts", is_flag=True, help="Leave the artifacts out.")
@places.of_store
@answers
def restore(file: Path, no_artifacts: bool, as_json: bool, **options: Any) -> None:
    """Fill an empty database and its artifact root from FILE, which `logbuch backup` wrote.

    The database may be of the other kind: a backup of SQLite can be restored into PostgreSQL, and the reverse.
    """
    from logbuch.files.roots import Files
    from logbuch.store import open_store
    from logbuch.transfer import backup as archive
    from logbuch.transfer.report import Report

    archive.judge(file)
    where, report = places.meant(options), Report()
    files = None if no_artifacts else Files.at(where.roots[0], where.roots[1:])
    store = open_store(where.uri, seal=False)
    try:
        with progress({}) as told:
            archive.restore(file, store, files, report, told)
    finally:
        store.close()
    _tell(report, as_json=as_json)


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_data())
    else:
        for line in report.lines():
            click.echo(line)
    sys.exit(1 if report.missing else 0)
