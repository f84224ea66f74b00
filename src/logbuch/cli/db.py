"""``logbuch db``: looking a database over."""

from __future__ import annotations

import sys
from typing import Any

import click

from logbuch.cli import places
from logbuch.cli.asking import answers, print_json


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@places.of_store
@answers
def check(as_json: bool, **options: Any) -> None:
    """Check that the database is whole: its file, every block of points, and what refers to nothing.

    Nothing is changed. It may run beside a server. The exit code is 1 if something is wrong.
    """
    from logbuch.store import check as checks
    from logbuch.store import open_store

    store = open_store(places.existing(options).uri, seal=False)
    try:
        sums = store.read(checks.sums)
        counts = {**sums.rows, "points": sums.points, "points not packed yet": sums.waiting}
        for name, count in () if as_json else counts.items():
            click.echo(f"{name:24}{count:>14,}")
        found = [*store.read(checks.integrity), *store.read(checks.orphans)]
        for part in (checks.blocks_after, checks.arrivals_after):
            last: int | None = 0
            while last is not None:
                faults, last = store.read(part, last)
                found += faults
    finally:
        store.close()
    if as_json:
        print_json({"counts": counts, "faults": [fault.what for fault in found]})
    else:
        for fault in found:
            click.echo(f"fault: {fault.what}", err=True)
        click.echo("Nothing is wrong." if not found else f"{len(found)} faults.")
    sys.exit(1 if found else 0)
