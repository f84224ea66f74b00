"""What a training says to who watches it: a bar on a terminal, a line now and then everywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SHOWN = {
    "train/loss": ("loss", "{:.4f}"),
    "val/loss": ("val", "{:.4f}"),
    "val/perplexity": ("perplexity", "{:.1f}"),
    "train/learning_rate": ("lr", "{:.2e}"),
    "train/tokens_per_second": ("tokens/s", "{:,.0f}"),
}


class Report:
    """Says nothing in all processes but the first."""

    def __init__(self, steps: int, *, quiet: bool = False) -> None:
        self._steps, self._quiet = steps, quiet
        self._console = Console(highlight=False, soft_wrap=True)
        self._progress: Progress | None = None

    @contextlib.contextmanager
    def bar(self, done: int) -> Iterator[None]:
        """A bar over all steps while the block lasts, where the output is a terminal."""
        if self._quiet or not self._console.is_terminal:
            yield
            return
        columns = (TextColumn("step"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as self._progress:
            self._progress.add_task("", total=self._steps, completed=done)
            yield
        self._progress = None

    def step(self, step: int) -> None:
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=step)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        parts = [f"{name} {form.format(values[key])}" for key, (name, form) in _SHOWN.items() if key in values]
        self.say(f"step {step}/{self._steps}  " + "  ".join(parts))

    def say(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, markup=False)
