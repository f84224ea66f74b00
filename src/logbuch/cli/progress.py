"""How far a long command is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def progress(totals: Mapping[str, int]) -> Iterator[Callable[[str, int], None]]:
    """Gives a function that is told a noun and how many more of it were dealt with; ``totals`` are known in advance."""
    if not sys.stderr.isatty():
        yield lambda noun, count: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:8}"),
        BarColumn(),
        TextColumn("{task.fields[shown]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, tuple[object, list[int]]] = {}

        def told(noun: str, count: int) -> None:
            if noun not in tasks:
                tasks[noun] = (bar.add_task(noun, total=totals.get(noun), shown=""), [0])
            task, done = tasks[noun]
            done[0] += count
            of = f" of {totals[noun]:,}" if noun in totals else ""
            bar.update(task, completed=done[0], shown=f"{done[0]:,}{of}")  # type: ignore[arg-type]

        yield told
