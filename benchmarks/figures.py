"""What is measured: named figures, which way each is better, and ratios between them.

A figure's name ends with its unit, as in ``log-metric, requests/CPU-s``; the unit says whether more or less is better.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

Figures = dict[str, float]
"""Figures of one subject by name."""

MORE_IS_BETTER = {"requests/s", "requests/CPU-s", "points/s", "points/CPU-s", "runs/s", "MB/s"}
LESS_IS_BETTER = {"s", "CPU-s", "ms", "ms p95", "µs", "µs p99", "MB", "bytes/point", "processes", "× untracked"}


@dataclass
class Findings:
    """Everything one run of the benchmarks found: figures by subject, remarks, and what failed."""

    figures: dict[str, Figures] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, subject: str, figures: Figures) -> None:
        for name in figures:
            unit(name)
        self.figures.setdefault(subject, {}).update(figures)

    def get(self, subject: str, name: str) -> float | None:
        return self.figures.get(subject, {}).get(name)

    def names(self) -> list[str]:
        """All figures' names in the order in which they were first found."""
        return list(dict.fromkeys(name for figures in self.figures.values() for name in figures))


def unit(name: str) -> str:
    """The unit that a figure's name ends with; KeyError for one whose direction is not known."""
    found = name.rpartition(", ")[2]
    if found not in MORE_IS_BETTER | LESS_IS_BETTER:
        raise KeyError(f"the figure {name!r} ends with no known unit")
    return found


def better(name: str, ours: float, theirs: float) -> float | None:
    """How many times better ``ours`` is: over 1 is better, under 1 worse; None where one of them is 0."""
    if not ours or not theirs:
        return None
    return ours / theirs if unit(name) in MORE_IS_BETTER else theirs / ours


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which ``part`` (0 to 1) of the values lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))]


def latency(name: str, seconds: Sequence[float], *, tail: bool = False) -> Figures:
    """The median in ms, and with ``tail`` the 95th percentile."""
    found = {f"{name}, ms": 1000 * statistics.median(seconds)}
    if tail:
        found[f"{name}, ms p95"] = 1000 * percentile(seconds, 0.95)
    return found
