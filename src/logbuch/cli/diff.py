"""``logbuch diff``: in what do runs differ?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from logbuch.cli.asking import asks, knowing_runs, print_json

if TYPE_CHECKING:
    from logbuch.sdk.differences import Comparison

WIDTH = 40


@click.command()
@click.argument("run_ids", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("--full", is_flag=True, help="Do not cut long values.")
@asks
def diff(run_ids: tuple[str, ...], full: bool, as_json: bool) -> None:
    """Show in what runs differ: params, code, data, machine, packages and results.

    RUN is the ID of a run; give two or more. A single one is compared with the baseline of its experiment.
    """
    from logbuch.sdk.differences import diff_runs

    with knowing_runs():
        found = diff_runs(run_ids)
    if as_json:
        print_json(found)
    else:
        _print(found, full=full)


def _print(found: Comparison, *, full: bool) -> None:
    rows = [["", "", *found.names]]
    side = ""
    for one in found.differences:
        changes = one.changes or [None] * len(one.values)
        shown = [_cell(value, change, full=full) for value, change in zip(one.values, changes, strict=True)]
        rows.append(["" if one.side == side else str(one.side), _cut(one.name, full=full), *shown])
        side = one.side
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo(f"{len(found.differences)} differences; {found.equal} things are equal.")
    if found.baseline is not None:
        click.echo(f"{found.names[0]} is the baseline.")
    for sentence in found.missing:
        click.echo(sentence, err=True)


def _cell(value: str | None, change: float | None, *, full: bool) -> str:
    return _cut(value, full=full) + ("" if change is None else f" ({change:+.2%})")


def _cut(value: str | None, *, full: bool) -> str:
    if value is None:
        return "–"
    line = " ".join(value.split())
    return line if full or len(line) <= WIDTH else line[: WIDTH - 1] + "…"
