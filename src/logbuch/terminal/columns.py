"""The columns of the table of runs: what stands in a cell, by what is sorted, and which ones fit into a width."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from logbuch.alerts import Level
from logbuch.stability.findings import Word
from logbuch.terminal.rows import Row
from logbuch.terminal.sparkline import sparkline

_NUMBER, _UNCUT = 7, 250
GAP = 2
"""Cells between two columns."""
_STATUS = {
    "RUNNING": "green", "SCHEDULED": "cyan", "FAILED": "bold red", "KILLED": "yellow", "LOST": "bold red",
}  # fmt: skip
WORDS: dict[str, str] = {
    Word.DIVERGED: "bold red", Word.UNSTABLE: "red", Word.OVERFITTING: "yellow", Word.STALLED: "yellow",
    Word.STABLE: "green",
}  # fmt: skip
"""Styles of verdicts; other words are dim."""
LEVELS: dict[str, str] = {Level.INFO: "cyan", Level.WARNING: "yellow", Level.ERROR: "bold red"}


@dataclass(frozen=True, slots=True)
class Column:
    """``show`` gives the text of a cell and ``key`` what is sorted by, None last. The higher ``need``, the sooner it is
    left out where there is no room; ``most`` is how wide it may become where there is."""

    title: str
    width: int
    need: int
    show: Callable[[Row, int], Text]
    key: Callable[[Row], Any]
    most: int = 0
    right: bool = False

    @property
    def limit(self) -> int:
        return max(self.width, self.most)


def number(value: float | None, digits: int = 4) -> str:
    """A number in at most seven characters, with so many digits where they fit."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if 10**digits <= abs(value) < 10**6:
        return f"{value:.0f}"
    tries = (f"{value:.{kept}g}" for kept in range(digits, 0, -1))
    return next((text for text in tries if len(text) <= _NUMBER), f"{value:.0e}")


def count(value: int | None) -> str:
    """A whole number in at most five characters, up to a quadrillion."""
    if value is None:
        return "–"
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if abs(value) >= max(size, 10**5):
            return f"{value / size:.3g}{unit}" if abs(value) < 999.5 * size else f"{value / size:.0f}{unit}"
    return str(value)


def lasted(seconds: float) -> str:
    """How long, in at most six characters: ``42s``, ``12m05s``, ``3h07m``, ``2d04h``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


def megabytes(value: float | None) -> str:
    """Bytes in gigabytes (10⁹) from one on."""
    if value is None:
        return "–"
    return f"{value:.0f} MB" if value < 1000 else f"{value / 1000:.1f} GB"


def percent(part: float | None) -> str:
    return "–" if part is None else f"{part:.0f}%"


def cut(text: str, width: int) -> str:
    """A text on one line, its end cut."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"


def _step(row: Row, _width: int) -> Text:
    done = None if row.progress is None else 100 * row.progress
    return Text(f"{count(row.step)} {percent(done):>4}")


def _memory(row: Row, _width: int) -> Text:
    share = "" if row.gpu_memory_percent is None else f" {percent(row.gpu_memory_percent)}"
    return Text(megabytes(row.gpu_memory_megabytes) + share)


def _bad(row: Row) -> str:
    """A metric that is no number is the first thing to be seen."""
    return "bold red" if row.value is not None and not math.isfinite(row.value) else "bold"


def _rank(row: Row) -> int | None:
    """The worst first; a tag may say anything."""
    words = [str(word) for word in Word]
    return words.index(row.stability) if row.stability in words else None


def _stability(row: Row, width: int) -> Text:
    word = row.stability or "–"
    return Text(cut(word, width), WORDS.get(word, "dim"))


def _never(_row: Row) -> None:
    """Nothing is sorted by a curve."""


def _alerts(row: Row, _width: int) -> Text:
    return Text(str(row.alerts) if row.alerts else "–", LEVELS[row.alert_level] if row.alert_level else "dim")


def _speed(row: Row, _width: int) -> Text:
    return Text(number(row.steps_per_second, 3))


COLUMNS = (
    Column("Run", 11, 0, lambda row, width: Text(cut(row.name or row.run_id, width)), lambda row: row.name.lower(), 32),
    Column("Experiment", 12, 11, lambda row, width: Text(cut(row.experiment, width)),
           lambda row: row.experiment.lower(), 24),
    Column("Status", 8, 1, lambda row, width: Text(cut(row.status.lower(), width), _STATUS.get(row.status, "")),
           lambda row: row.status),
    Column("Time", 6, 2, lambda row, _: Text(lasted(row.seconds)), lambda row: row.seconds, right=True),
    Column("Step", 10, 3, _step, lambda row: row.step, right=True),
    Column("Metric", 10, 7, lambda row, width: Text(cut(row.metric or "–", width), "dim"), lambda row: row.metric, 20),
    Column("Last", 7, 0, lambda row, _: Text(number(row.value), _bad(row)), lambda row: _sortable(row.value),
           right=True),
    Column("Best", 7, 5, lambda row, _: Text(number(row.best)), lambda row: _sortable(row.best), right=True),
    Column("Curve", 7, 4, lambda row, width: Text(sparkline(row.curve, width), "cyan"), _never, 24),
    Column("Steps/s", 7, 8, _speed, lambda row: row.steps_per_second, right=True),
    Column("GPU", 4, 9, lambda row, _: Text(percent(row.gpu_percent)), lambda row: row.gpu_percent, right=True),
    Column("GPU memory", 11, 10, _memory, lambda row: row.gpu_memory_megabytes, right=True),
    Column("Stability", 11, 6, _stability, _rank),
    Column("Alerts", 6, 5, _alerts, lambda row: row.alerts, right=True),
)  # fmt: skip


def _sortable(value: float | None) -> float | None:
    """NaN stands with what is not known."""
    return None if value is None or math.isnan(value) else value


def telling(rows: Sequence[Row], *, one_experiment: bool = False) -> list[Column]:
    """The columns that say something of these runs: no experiment where they are all of one, no GPU where none is
    measured."""
    silent = set()
    if one_experiment or len({row.experiment_id for row in rows}) == 1:
        silent.add("Experiment")
    if all(row.gpu_percent is None for row in rows):
        silent.add("GPU")
    if all(row.gpu_memory_megabytes is None for row in rows):
        silent.add("GPU memory")
    return [column for column in COLUMNS if column.title not in silent]


def fitting(columns: Sequence[Column], width: int | None) -> list[tuple[Column, int]]:
    """Those columns that fit into a width (None: all), and how wide each is; the most needed are always there."""
    if width is None:
        return [(column, max(column.limit, _UNCUT)) for column in columns]
    chosen = list(columns)
    while len(chosen) > 1 and _needed(chosen) > width:
        dropped = max(chosen, key=lambda column: column.need)
        if dropped.need == 0:
            break
        chosen.remove(dropped)
    widths = [column.width for column in chosen]
    left = max(0, width - _needed(chosen))
    while left and any(has < column.limit for column, has in zip(chosen, widths, strict=True)):
        for place, column in enumerate(chosen):
            if left and widths[place] < column.limit:
                widths[place] += 1
                left -= 1
    return list(zip(chosen, widths, strict=True))


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.width + GAP for column in columns)


def arranged(rows: Sequence[Row], by: Column | None, descending: bool) -> list[Row]:
    """Rows by a column, those where it is not known last; None: as they came, running first and the newest first."""
    if by is None:
        return list(reversed(rows)) if descending else list(rows)
    known = [row for row in rows if by.key(row) is not None]
    known.sort(key=by.key, reverse=descending)
    return known + [row for row in rows if by.key(row) is None]
