"""Answers to "which run was best?", and the rules by which they are found: nouns, without a store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from logbuch.model import Noun, Param
from logbuch.stability.parts import SYSTEM, is_evaluation, is_loss, is_measured, lower_is_better

DIRECTION_TAG = "logbuch.direction."
"""Of an experiment, followed by a metric's key: ``lower`` or ``higher`` where its name tells nothing, or wrongly."""
READING_TAG = "logbuch.reading."
"""Of an experiment, followed by a metric's key: how a run is read by it, a word of :class:`Reading`."""
METRIC_TAG = "mlflow.experiment.primaryMetric.name"
"""Of an experiment: the metric by which its runs are judged where none is named. The name is MLflow's."""
GREATER_TAG = "mlflow.experiment.primaryMetric.greaterIsBetter"
"""Of an experiment, ``true`` or ``false``: MLflow's word for the direction of that metric."""
BASELINE_TAG = "logbuch.baseline"
"""Of an experiment: the ID of the run that others are held against."""
_SEED = re.compile(
    r"(^|[/_.\-])(random[_\-]?state|(random|data|global|torch|numpy|np)?[_\-]?seed|repeat|repetition|replicate)"
    r"($|[/_.\-])",
    re.I,
)
_LABEL = re.compile(
    r"(^|[/._\-])("
    r"(output|out|save|log|logging|results?|run|exp|experiment)[_\-]?(dir|directory|folder|path)"
    r"|(work|working|checkpoints?|ckpt|default[_\-]?root|cache|te?mp|profile|tensorboard|tb|wandb)"
    r"[_\-]?(dir|directory|folder)"
    r"|(run|exp|experiment|job|trial|array[_\-]?task|session|project)[_\-]?(id|name|number|idx|index)"
    r"|hub[_\-]?model[_\-]?id"
    r"|uuid|guid|timestamp|datetime|start[_\-]?time|created[_\-]?at|host|host[_\-]?name|node[_\-]?(name|list)"
    r"|user|user[_\-]?name|pid|master[_\-]?(port|addr)|(local|node|global|world)[_\-]?rank|process[_\-]?index"
    r"|tracking[_\-]?uri|notes?|description|comment|tags?"
    r")$",
    re.I,
)
"""Params that tell runs apart without making them another training: names, numbers, times and places."""
_PLAIN_LOSS = re.compile(r"^((train|training|eval|evaluation|val|valid|validation|test|dev)[/_.\-])?loss$", re.I)
_SOME_LOSS = re.compile(r"(^|[/_.])loss$", re.I)
_ASIDE = re.compile(r"(^|[/_.\-])(base|baseline|initial|init|start|best|min|final|aux|auxiliary|moe)($|[/_.\-])", re.I)
"""A value beside the curve of the run: what it began with or ended at, or only a part of it."""
SIGNIFICANT = 0.05


class Reading(StrEnum):
    """How a run is read: its last value, the best it ever had, or the best of its moving average."""

    LAST = "last"
    BEST = "best"
    SMOOTHED = "smoothed"


SMOOTHING = 0.9
"""The weight of what was before in the moving average, so that some ten points count together."""


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


class Baseline(Noun, frozen=True, kw_only=True):
    """The run that others are held against, and by how much the best value is above or below its own.

    ``value`` and what follows from it are null where it has no finite one, ``ratio`` also where that is 0.
    """

    run_id: str
    name: str
    value: float | None = None
    change: float | None = None
    ratio: float | None = None


class Best(Noun, frozen=True, kw_only=True):
    """The best run of an experiment by a metric, its replicates, and the runner-up among other configurations.

    ``p_value`` is that of Welch's test (two-sided) of the two groups' means, null where a group has a single run or
    none has any spread; ``reason`` then says why. ``runs`` is how many finished runs were compared. ``whole`` is false
    where moving averages were read of the most promising runs alone, as there were too many.
    """

    metric: str
    lower: bool
    reading: Reading = Reading.LAST
    runs: int
    best: Group
    runner_up: Group | None = None
    p_value: float | None = None
    reason: str | None = None
    whole: bool = True
    baseline: Baseline | None = None

    @property
    def significant(self) -> bool | None:
        """Whether the lead is larger than the noise of the seeds; None where that is not known."""
        return None if self.p_value is None else self.p_value < SIGNIFICANT


class Effect(Noun, frozen=True, kw_only=True):
    """What a param tells of a metric.

    ``share`` is its importance: its part of what all params explain of the metric's spread, in proportion to how much
    worse a random forest tells the metric when the param is shuffled; with its standard ``error``. ``correlation`` is
    Spearman's between the values as numbers and the metric, null for texts. ``best`` is the best run's value and
    ``usual`` the commonest among the other runs.
    """

    key: str
    share: float
    error: float
    values: int
    correlation: float | None = None
    best: str | None = None
    usual: str | None = None


class Importance(Noun, frozen=True, kw_only=True):
    """Which params explain a metric, the most important first.

    ``explained`` is the share of the metric's spread that the forest tells from all params together on runs that it has
    not seen (R²), at most 0 where they tell nothing. ``runs`` were found and ``looked_at`` of them read. Where
    ``reason`` says why nothing can be told, ``explained`` is null and the shares are 0.
    """

    metric: str
    lower: bool
    reading: Reading = Reading.LAST
    runs: int
    looked_at: int
    effects: tuple[Effect, ...]
    explained: float | None = None
    reason: str | None = None


def is_seed(key: str) -> bool:
    """Whether a param is the seed of a random generator."""
    return bool(_SEED.search(key))


def is_label(key: str) -> bool:
    """Whether a param only names a run, or says where and when it ran: ``run_name``, ``output_dir``, ``job_id``."""
    return bool(_LABEL.search(key))


def sets_apart(key: str) -> bool:
    """Whether runs that differ in a param are different trainings: not in a seed, nor in a label."""
    return not (is_seed(key) or is_label(key))


def configuration(params: Iterable[Param]) -> frozenset[tuple[str, str]]:
    """What replicates have in common: all params but seeds and labels."""
    return frozenset((param.key, param.value) for param in params if sets_apart(param.key))


def direction(metric: str, tags: Mapping[str, str]) -> bool | None:
    """Whether lower is better: by the experiment's tags, else by the metric's name; None where neither tells."""
    told = tags.get(DIRECTION_TAG + metric, "").lower()
    if metric == tags.get(METRIC_TAG) and told not in ("lower", "higher"):
        told = {"true": "higher", "false": "lower"}.get(tags.get(GREATER_TAG, "").lower(), "")
    return {"lower": True, "higher": False}.get(told, lower_is_better(metric))


def reading(metric: str, tags: Mapping[str, str]) -> Reading:
    """How a run is read by a metric: by the experiment's tags, else by its last value."""
    told = tags.get(READING_TAG + metric, "").lower()
    return Reading(told) if told in list(Reading) else Reading.LAST


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
    plain = 0.75 if _PLAIN_LOSS.search(key) else 0.5 if _SOME_LOSS.search(key) else 0.25
    plain -= 0.5 if _ASIDE.search(key) else 0.0
    if is_evaluation(key) and is_loss(key):
        return 5 + plain
    if is_measured(key):
        return 0.0
    if is_evaluation(key) and better is not None:
        return 4 + plain
    if is_loss(key):
        return 3 + plain
    return 1.0 if better is None else 2.0
