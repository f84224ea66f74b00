"""The table of runs as plain text, printed once."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from logbuch.terminal.columns import GAP, fitting, telling
from logbuch.terminal.looking import Look

_PLAIN = 4000
"""As wide as a line gets where no terminal cuts it."""


def print_once(look: Look, *, one_experiment: bool) -> None:
    """Prints what fits into the terminal; into a file or a pipe all columns."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=_PLAIN)
    columns = telling(look.runs, one_experiment=one_experiment)
    if not look.runs:
        console.print(f"No run is running at {look.uri}.", markup=False, soft_wrap=True)
        return
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    shown = fitting(columns, console.width if console.is_terminal else None)
    for column, width in shown:
        table.add_column(column.title, justify="right" if column.right else "left", no_wrap=True, max_width=width)
    for row in look.runs:
        table.add_row(*(column.show(row, width) for column, width in shown))
    console.print(table)
    if look.total > len(look.runs):
        console.print(f"… {look.total - len(look.runs)} more runs")
