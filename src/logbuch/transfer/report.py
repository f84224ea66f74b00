"""The account of a move: how much each side holds, and every difference by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

NOUNS = (
    "experiments",
    "runs",
    "params",
    "tags",
    "points",
    "datasets",
    "logged models",
    "models",
    "versions",
    "histograms",
    "lines",
    "files",
)
SHOWN = 50


class Report:
    """What was read, what is there now, what was changed on the way, and what is missing and why."""

    def __init__(self) -> None:
        self.source: Counter[str] = Counter()
        """What the source holds, by noun."""
        self.target: Counter[str] = Counter()
        """What the target holds of it now."""
        self.already: Counter[str] = Counter()
        """What was there before."""
        self.notes: Counter[str] = Counter()
        """What was changed on the way, and how often: no loss, but good to know."""
        self.said: list[str] = []
        """How the source was understood, where that had to be guessed."""
        self.origin = ""
        """What the source is called."""
        self.missing: list[str] = []
        """What did not arrive, and why."""

    def lost(self, what: str, why: object) -> None:
        """Something did not arrive."""
        text = f"{what}: {why}"
        self.missing.append(text.encode(errors="backslashreplace").decode())  # a file's name may be no text

    def note(self, what: str, count: int = 1) -> None:
        if count:
            self.notes[what] += count

    def compare(self, totals: Mapping[str, int]) -> None:
        """Sets the source's own count against what was read of it, so that nothing is left out unseen.

        The count is from before reading: a source that is in use may hold more by then.
        """
        for noun, count in totals.items():
            if count > self.source[noun]:
                self.lost(f"{noun} of the source", f"it counts {count:,}, and {self.source[noun]:,} could be read")
                self.source[noun] = count

    @property
    def complete(self) -> bool:
        """Whether all that the source holds is there."""
        return not self.missing

    def as_data(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "complete": self.complete,
            "source": dict(self.source),
            "target": dict(self.target),
            "already_there": dict(self.already),
            "read": list(self.said),
            "notes": dict(self.notes),
            "missing": list(self.missing),
        }

    def lines(self, limit: int = SHOWN) -> list[str]:
        """The report for a person: a table, then notes, then what is missing."""
        nouns = [noun for noun in NOUNS if self.source[noun] or self.target[noun]]
        nouns += sorted((self.source.keys() | self.target.keys()) - set(NOUNS))
        lines = [f"{'':14}{'source':>14}{'here':>14}{'of it before':>14}"]
        lines += [
            f"{noun:14}{self.source[noun]:>14,}{self.target[noun]:>14,}{self.already[noun]:>14,}" for noun in nouns
        ]
        lines = [f"read: {text}" for text in self.said[:limit]] + lines
        lines += [f"note: {what}: {count:,}" for what, count in sorted(self.notes.items())]
        lines += [f"missing: {text}" for text in self.missing[:limit]]
        if len(self.missing) > limit:
            lines.append(f"missing: … and {len(self.missing) - limit:,} more; --report FILE has them all")
        return lines
