"""The verdict on a run: all findings of all of its watched metrics, and the worst of them in a word."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from logbuch.model import Noun
from logbuch.stability import courses, gaps, losses, rates, spikes
from logbuch.stability.curve import Curve
from logbuch.stability.findings import Finding, Kind, Verdict, Word
from logbuch.stability.losses import Lost

SHORT = 50
"""Points of a loss below which nothing is said but that values are not finite."""


_WORDS = {
    Kind.NOT_FINITE: Word.DIVERGED,
    Kind.DIVERGED: Word.DIVERGED,
    Kind.SPIKE: Word.UNSTABLE,
    Kind.GRADIENT: Word.UNSTABLE,
    Kind.LEARNING_RATE: Word.UNSTABLE,
    Kind.GAP: Word.OVERFITTING,
    Kind.PLATEAU: Word.STALLED,
    Kind.THROUGHPUT: Word.STABLE,
    Kind.IDLE_GPU: Word.STABLE,
    Kind.LOST: Word.STABLE,
}
"""What a finding says of the training. A slow machine makes no model worse, nor do records that are missing."""


class Watched(NamedTuple):
    """A metric and its curve. The ``x`` of a GPU's use is time in ms, that of all others the step."""

    metric: str
    curve: Curve


class Watch(Noun, frozen=True, kw_only=True):
    """The metrics of a run that are watched, by the part they play."""

    loss: Watched | None = None
    evaluation: Watched | None = None
    gradients: tuple[Watched, ...] = ()
    rates: tuple[Watched, ...] = ()
    throughputs: tuple[Watched, ...] = ()
    gpus: tuple[Watched, ...] = ()
    others: tuple[Watched, ...] = ()
    """Only looked at for values that are not finite."""
    lost: Lost | None = None


def judge(watch: Watch) -> Verdict:
    """Checks all that is watched."""
    with np.errstate(all="ignore"):  # what overflows is infinite, and compared as such
        found = [*_of_losses(watch), *_of_rates(watch)]
    for metric, curve in _everything(watch):
        found += courses.not_finite(metric, curve)
    if watch.lost is not None:
        found += losses.find(watch.lost)
    ordered = tuple(sorted(found, key=lambda finding: finding.start))
    points = watch.loss.curve.points if watch.loss else 0
    return Verdict(word=_word(watch, ordered), findings=ordered, points=points)


def _of_losses(watch: Watch) -> list[Finding]:
    found: list[Finding] = []
    if watch.loss is not None and watch.loss.curve.points >= SHORT:
        found += courses.diverged(*watch.loss) or courses.plateau(*watch.loss)
        found += spikes.find(*watch.loss)
    if watch.evaluation is not None and not any(finding.kind is Kind.DIVERGED for finding in found):
        training = watch.loss.curve if watch.loss is not None else None
        found += gaps.find(*watch.evaluation, training)
    return found


def _of_rates(watch: Watch) -> list[Finding]:
    found: list[Finding] = []
    for watched in watch.gradients:
        found += spikes.find(*watched, spikes.GRADIENT)
    for watched in watch.rates:
        found += rates.learning_rate(*watched)
    for watched in watch.throughputs:
        found += rates.throughput(*watched)
    for watched in watch.gpus:
        found += rates.idle_gpu(*watched)
    return found


def _everything(watch: Watch) -> list[Watched]:
    single = [watched for watched in (watch.loss, watch.evaluation) if watched is not None]
    return [*single, *watch.gradients, *watch.rates, *watch.throughputs, *watch.gpus, *watch.others]


def _word(watch: Watch, found: tuple[Finding, ...]) -> Word:
    words = {_WORDS[finding.kind] for finding in found}
    worst = next((word for word in Word if word in words and word is not Word.STABLE), None)
    if worst is not None:
        return worst
    if watch.loss is None:
        return Word.UNKNOWN
    return Word.SHORT if watch.loss.curve.points < SHORT else Word.STABLE
