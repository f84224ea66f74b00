"""Answers to "which run was best?", and the rules by which they are found: nouns, without a store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from logbuch.model import Noun, Param
from logbuch.stability.parts import SYSTEM, is_evaluation, is_loss, lower_is_better

DIRECTION_TAG = "logbuch.direction."
"""Of an experiment, followed by a metric's key: ``lower`` or ``higher`` where its name tells nothing, or wrongly."""
_SEED = re.compile(r"(^|[/_.\-])(random[_\-]?state|(random|data|global|torch|numpy|np)?[_\-]?seed)($|[/_.\-])", re.I)
_PLAIN_LOSS = re.compile(r"(^|[/_.])loss$", re.I)
SIGNIFICANT = 0.05


class Reading(StrEnum):
    """How a run is read: its last value, or the best it ever had."""

    LAST = "last"
    BEST = "best"


class Group(Noun, frozen=True, kw_only=True):
    """Runs that differ in nothing but the seed: their values, best first, and what these say together.

    ``std`` is that of a sample; it and the 95% interval of the mean (Student's) are null for a single run.
    """

    run_ids: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[float, ...]
    mean: float
    std: float | None = None
    low: float | None = None
    high: float | None = None


class Best(Noun, frozen=True, kw_only=True):
    """The best run of an experiment by a metric, its replicates, and the runner-up among other configurations.

    ``p_value`` is that of Welch's test (two-sided) of the two groups' means, null where a group has a single run or
    none has any spread; ``reason`` then says why. ``runs`` is how many finished runs were compared.
    """

    metric: str
    lower: bool
    reading: Reading
    runs: int
    best: Group
    runner_up: Group | None = None
    p_value: float | None = None
    reason: str | None = None

    @property
    def significant(self) -> bool | None:
        """Whether the lead is larger than the noise of the seeds; None where that is not known."""
        return None if self.p_value is None else self.p_value < SIGNIFICANT


def is_seed(key: str) -> bool:
    """Whether a param is the seed of a random generator."""
    return bool(_SEED.search(key))


def configuration(params: Iterable[Param]) -> frozenset[tuple[str, str]]:
    """What replicates have in common: all params but seeds."""
    return frozenset((param.key, param.value) for param in params if not is_seed(param.key))


def direction(metric: str, tags: Mapping[str, str]) -> bool | None:
    """Whether lower is better: by the experiment's tags, else by the metric's name; None where neither tells."""
    told = tags.get(DIRECTION_TAG + metric, "").lower()
    return {"lower": True, "higher": False}.get(told, lower_is_better(metric))


def main_metric(runs: Mapping[str, int]) -> str | None:
    """The metric that answers "which was best": an evaluation loss that most runs have, else an evaluation, or a loss.

    ``runs`` says how many runs have a metric.
    """
    known = {key: count for key, count in runs.items() if not key.startswith(SYSTEM)}
    most = max(known.values(), default=0)
    wide = [key for key, count in known.items() if count >= most / 2]
    return min(wide, key=lambda key: (-_rank(key), -known[key], key), default=None)


def _rank(key: str) -> float:
    better = lower_is_better(key)
    plain = 0.5 if _PLAIN_LOSS.search(key) else 0.0
    if is_evaluation(key) and is_loss(key):
        return 5 + plain
    if is_evaluation(key) and better is False:
        return 4
    if is_loss(key):
        return 3 + plain
    return 1.0 if better is None else 2.0
