"""Which run was best, and is its lead larger than the noise of the seeds?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from logbuch.answers import BASELINE_TAG, Baseline, Best, Group, configuration
from logbuch.errors import NotFound
from logbuch.model import Experiment, Param, ViewType
from logbuch.store import experiments, runs
from logbuch.store.answers import criterion, kept
from logbuch.store.answers.criterion import Criterion, Wanted
from logbuch.store.answers.missing import finished, no_value
from logbuch.store.answers.ranking import Ranked, Ranking, texts_of, value_of
from logbuch.store.grouping.statistics import of_groups, student_tails
from logbuch.store.search import RunQuery
from logbuch.store.tx import Tx

LOOKED_AT = 500
"""Runs from the best on among which the runner-up's configuration is sought."""
MOST_PARAMS = 40
"""Params by which replicates are sought in the whole experiment; what is found is compared in all of them."""
Configuration = frozenset[tuple[str, str]]


def best(tx: Tx, experiment_id: str, wanted: Wanted = Wanted(), filter: str = "") -> Best:  # noqa: A002, B008
    """The best finished run that a filter finds; what is not wanted is as the experiment says.

    The answer is remembered until a finished run changes. NotFound where no finished run has a finite value;
    InvalidInput where nothing tells the direction.
    """
    experiment = experiments.get(tx, experiment_id)
    found = kept.answer(tx, experiment, ("best", wanted, filter), lambda: _best(tx, experiment, wanted, filter))
    return _beside(tx, experiment, found)


def _best(tx: Tx, experiment: Experiment, wanted: Wanted, filter_: str) -> Best:
    by = criterion.settle(tx, experiment, wanted, filter_)
    query = RunQuery((experiment.experiment_id,), finished(filter_), view=ViewType.ACTIVE_ONLY)
    ranking = Ranking(tx, query, by)
    first, whole = ranking.top(LOOKED_AT, lambda found: _needed(tx, found))
    if not first:
        raise no_value(tx, experiment, filter_, by.metric, by.reading)
    leader, *others = groups = _by_configuration(tx, first)
    common = Counter(pair for same, own in groups for pair in same for _ in own)
    winner = _replicates(tx, ranking, by, *leader, common)
    rival = _replicates(tx, ranking, by, *others[0], common) if others else None
    p_value, reason = _welch(winner, rival)
    return Best(
        metric=by.metric,
        lower=by.lower,
        reading=by.reading,
        runs=ranking.count(),
        best=winner,
        runner_up=rival,
        p_value=p_value,
        reason=reason,
        whole=whole,
    )


def _needed(tx: Tx, found: Sequence[Ranked]) -> float | None:
    """The value of the runner-up, below which no run matters."""
    groups = _by_configuration(tx, found)
    return groups[1][1][0].value if len(groups) > 1 else None


def _beside(tx: Tx, experiment: Experiment, found: Best) -> Best:
    """The answer, with the baseline as it stands now."""
    pinned = experiment.tags.get(BASELINE_TAG)
    if not pinned:
        return found
    try:
        head = runs.row(tx, pinned)
    except NotFound:
        return found
    value = value_of(tx, head.id, Criterion(found.metric, found.lower, found.reading))
    change = None if value is None else found.best.values[0] - value
    ratio = change / abs(value) if value and change is not None else None
    beside = Baseline(run_id=pinned, name=head.name, value=value, change=change, ratio=ratio)
    return Best(**{name: getattr(found, name) for name in Best.__struct_fields__} | {"baseline": beside})


def _replicates(
    tx: Tx,
    ranking: Ranking,
    by: Criterion,
    wanted: Configuration,
    known: Sequence[Ranked],
    common: Mapping[tuple[str, str], int],
) -> Group:
    """All runs of a configuration; ``known`` are those of them that are known already.

    ``common`` says how many of the best runs have a param with a value: where there are many params, those that few
    share find the runs. Trainers log a hundred, of which nearly all are the same in every run.
    """
    if not wanted:  # of runs without params nothing tells which belong together; each stands alone
        return _group(known[:1], by.lower)
    rows = ranking.same(sorted(wanted, key=lambda pair: (common[pair], pair))[:MOST_PARAMS], LOOKED_AT)
    mine = [own for same, own in _by_configuration(tx, rows) if same == wanted]
    return _group(mine[0] if mine else known, by.lower)


def _by_configuration(tx: Tx, rows: Sequence[Ranked]) -> list[tuple[Configuration, list[Ranked]]]:
    """The rows in groups of equal params but for seeds and labels, in the order of each group's first."""
    texts = texts_of(tx, rows)
    found: dict[Configuration | int, list[Ranked]] = {}
    for row in rows:
        same = configuration(Param(key=key, value=value) for key, value in texts.get(row.id, {}).items())
        found.setdefault(same or row.id, []).append(row)
    return [(frozenset() if isinstance(key, int) else key, own) for key, own in found.items()]


def _group(rows: Sequence[Ranked], lower: bool) -> Group:
    ordered = sorted(rows, key=lambda row: row.value, reverse=not lower)
    values = np.array([row.value for row in ordered])
    found = of_groups(values, np.zeros(len(values), np.intp), 1)
    numbers = {name: _known(getattr(found, name)[0]) for name in ("std", "low", "high")}
    return Group(
        run_ids=tuple(row.run_id for row in ordered),
        names=tuple(row.name for row in ordered),
        values=tuple(values.tolist()),
        mean=float(found.mean[0]),
        **(numbers if len(values) > 1 else {}),
    )


def _known(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _welch(one: Group, other: Group | None) -> tuple[float | None, str | None]:
    """Welch's unequal variances t-test (Welch 1947, Satterthwaite's degrees of freedom): its p-value, or why not."""
    if other is None:
        return None, "there is no other configuration"
    single = [name for name, group in (("best", one), ("runner-up", other)) if len(group.values) < 2]
    if single:
        return None, f"the {' and the '.join(single)} ran with one seed only"
    first, second = ((group.std or 0.0) ** 2 / len(group.values) for group in (one, other))
    if first + second == 0:
        return None, "all seeds gave the same value"
    degrees = (first + second) ** 2 / (first**2 / (len(one.values) - 1) + second**2 / (len(other.values) - 1))
    return student_tails(abs(one.mean - other.mean) / math.sqrt(first + second), degrees), None
