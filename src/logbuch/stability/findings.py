"""What checks find, and what that says of a training."""

from __future__ import annotations

from enum import StrEnum

from logbuch.model import Noun

LOST_TAG = "logbuch.records_lost"
"""Of a run: how many of its records were refused or dropped, as its processes tell."""


class Kind(StrEnum):
    """What may be wrong with a training."""

    NOT_FINITE = "not_finite"
    DIVERGED = "diverged"
    SPIKE = "spike"
    PLATEAU = "plateau"
    GAP = "gap"
    GRADIENT = "gradient"
    LEARNING_RATE = "learning_rate"
    THROUGHPUT = "throughput"
    IDLE_GPU = "idle_gpu"
    LOST = "lost"
    """Not of the training, but of what is known of it: records that were refused or dropped."""


class Finding(Noun, frozen=True, kw_only=True):
    """Something at ``start`` that lasted to ``end`` (steps; null: to the end of the run).

    ``value`` is what was measured there and ``usual`` what it is held against, in the unit of the metric; ``count``
    says how often it happened. Of lost records ``count`` is their number, and the steps are those of the longest hole
    in the loss; where none is seen ``metric`` is empty.
    """

    kind: Kind
    metric: str
    start: float
    end: float | None = None
    value: float | None = None
    usual: float | None = None
    count: int = 1


class Word(StrEnum):
    """A verdict, the worst first."""

    DIVERGED = "diverged"
    UNSTABLE = "unstable"
    OVERFITTING = "overfitting"
    STALLED = "stalled"
    STABLE = "stable"
    SHORT = "short"
    UNKNOWN = "unknown"


class Verdict(Noun, frozen=True, kw_only=True):
    """The worst in a word, and what was found, in the order in which it happened."""

    word: Word
    findings: tuple[Finding, ...] = ()
    points: int = 0
    """Finite points of the loss."""
