"""Which params explain a metric? See docs/decisions/0030-importance.md."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logbuch import limits
from logbuch.answers import Effect, Importance, Reading, sets_apart
from logbuch.errors import NotFound
from logbuch.model import Experiment, ViewType
from logbuch.store import experiments
from logbuch.store.answers import criterion, forest, kept
from logbuch.store.answers.criterion import Wanted
from logbuch.store.answers.missing import finished, no_value
from logbuch.store.answers.ranking import Ranked, Ranking, texts_of
from logbuch.store.search import RunQuery
from logbuch.store.tx import Tx

LEAST_RUNS = 10
"""Below so many runs chance tells as much as params do."""
LOOKED_AT, SMOOTHED_AT = 2000, 500
"""Runs that are read, and where their moving averages are."""
MOST_PARAMS = 60
REACH = 6.0
"""Values further from their median than so many median deviations stand at that distance: one run that diverged would
be all that is explained."""
Floats = NDArray[np.float64]


def importance(
    tx: Tx,
    experiment_id: str,
    wanted: Wanted = Wanted(),  # noqa: B008
    filter: str = "",  # noqa: A002
    run_ids: Sequence[str] | None = None,
    more: Sequence[str] = (),
) -> Importance:
    """What the params of finished runs, or of these runs whatever their status, tell of a metric.

    Runs of ``more`` experiments are judged with those of the first, as its tags say.
    NotFound where no run has a finite value; InvalidInput where nothing tells the direction.
    """
    experiment = experiments.get(tx, experiment_id)
    ids = (experiment.experiment_id, *(experiments.get(tx, one).experiment_id for one in more))
    if run_ids is not None or more:
        return _importance(tx, experiment, wanted, filter, run_ids, ids)
    question = ("importance", wanted, filter)
    return kept.answer(tx, experiment, question, lambda: _importance(tx, experiment, wanted, filter, None, ids))


def _importance(
    tx: Tx,
    experiment: Experiment,
    wanted: Wanted,
    filter_: str,
    run_ids: Sequence[str] | None,
    experiment_ids: tuple[str, ...],
) -> Importance:
    by = criterion.settle(tx, experiment, wanted, filter_)
    text, view = (finished(filter_), ViewType.ACTIVE_ONLY) if run_ids is None else (filter_, ViewType.ALL)
    ranking = Ranking(tx, RunQuery(experiment_ids, text, view=view, run_ids=run_ids), by)
    runs, rows = ranking.count(), ranking.sample(SMOOTHED_AT if by.reading is Reading.SMOOTHED else LOOKED_AT)
    if not rows:
        if run_ids is not None or len(experiment_ids) > 1:
            raise NotFound(f"None of these runs has a finite value of {limits.clip(by.metric)!r}.")
        raise no_value(tx, experiment, filter_, by.metric, by.reading)
    first, _ = ranking.top(1, lambda found: found[0].value if found else None)
    table = texts_of(tx, [*rows, *first[:1]])
    best = table.get(first[0].id, {}) if first else {}
    told = _told(rows, {row.id: table.get(row.id, {}) for row in rows}, best)
    return Importance(metric=by.metric, lower=by.lower, reading=by.reading, runs=runs, looked_at=len(rows), **told)


def _told(rows: Sequence[Ranked], texts: Mapping[int, Mapping[str, str]], best: Mapping[str, str]) -> dict[str, Any]:
    values = [texts[row.id] for row in rows]
    varied = _varied(values)
    target = _clipped(np.array([row.value for row in rows]))
    reason = _reason(len(rows), varied, target)
    described = [_effect(key, column, target, best) for key, column in varied.items()]
    if reason is not None:
        return {"effects": tuple(sorted(described, key=lambda one: one.key)), "reason": reason}
    found = forest.worth([_coded(column) for column in varied.values()], target)
    # Shuffled params overlap, so what each takes away does not add up: as parts of what all explain, they do.
    lost = np.maximum(found.shares, 0.0)
    scale = max(found.explained, 0.0) / max(float(lost.sum()), 1e-12)
    effects = [
        Effect(**_fields(one) | {"share": float(share * scale), "error": float(error * scale)})
        for one, share, error in zip(described, lost, found.errors, strict=True)
    ]
    return {
        "effects": tuple(sorted(effects, key=lambda one: (-one.share, one.key))),
        "explained": found.explained,
    }


def _fields(effect: Effect) -> dict[str, Any]:
    return {name: getattr(effect, name) for name in Effect.__struct_fields__}


def _reason(runs: int, varied: Mapping[str, Any], target: Floats) -> str | None:
    if runs < LEAST_RUNS:
        return f"there are too few runs: {runs}, and at least {LEAST_RUNS} are needed"
    if not varied:
        return "no param differs between the runs"
    if float(np.ptp(target)) == 0:
        return "all runs have the same value"
    return None


def _varied(values: Sequence[Mapping[str, str]]) -> dict[str, list[str | None]]:
    """The params that differ between runs, in the order of their keys; those that most runs have where there are many.

    Seeds and labels explain nothing. A text that is another in more than half of the runs, as a name is, tells runs
    apart and no more; nor does one that names whole configurations, as a file of settings does.
    """
    runs: Counter[str] = Counter(key for own in values for key in own)
    columns: dict[str, list[str | None]] = {}
    for key in sorted(runs, key=lambda key: (-runs[key], key)):
        column = [own.get(key) for own in values]
        kinds = len(set(column))
        if kinds > 1 and sets_apart(key) and (kinds <= len(values) / 2 or _as_numbers(column) is not None):
            columns[key] = column
        if len(columns) == MOST_PARAMS:
            break
    named = _names_of_configurations(columns)
    return {key: column for key, column in sorted(columns.items()) if key not in named}


def _names_of_configurations(columns: Mapping[str, Sequence[str | None]]) -> set[str]:
    """The texts that have a value of their own for each combination of other params, of which at least two differ: such
    a name would be given all that its parts explain."""
    kinds = {key: len(set(column)) for key, column in columns.items()}
    return {key for key in columns if _as_numbers(columns[key]) is None and _is_name(key, columns, kinds)}


def _is_name(key: str, columns: Mapping[str, Sequence[str | None]], kinds: Mapping[str, int]) -> bool:
    own = columns[key]
    synonyms = {one for one in columns if kinds[one] == kinds[key] == len(set(zip(own, columns[one], strict=True)))}
    others = columns.keys() - synonyms
    if len(others) < 2 or kinds[key] <= max(kinds[one] for one in others):
        return False
    parts = list(zip(*(columns[one] for one in others), strict=True))
    return len(set(parts)) == len(set(zip(parts, own, strict=True))) == kinds[key]


def _effect(key: str, column: Sequence[str | None], target: Floats, best: Mapping[str, str]) -> Effect:
    known = Counter(value for value in column if value is not None)
    others = known - Counter([best[key]] if key in best else [])
    return Effect(
        key=key,
        share=0.0,
        error=0.0,
        values=len(known),
        correlation=_correlation(_as_numbers(column), target),
        best=best.get(key),
        usual=min(others, key=lambda value: (-others[value], value), default=None),
    )


def _coded(column: list[str | None]) -> forest.Column:
    numbers = _as_numbers(column)
    return forest.words(column) if numbers is None else forest.numbers(numbers)


def _as_numbers(column: Sequence[str | None]) -> Floats | None:
    """The column as finite numbers, NaN where there is none; None where a value is none."""
    found = np.full(len(column), np.nan)
    for place, value in enumerate(column):
        if value is None:
            continue
        try:
            found[place] = float(value)
        except ValueError:
            return None
        if not math.isfinite(found[place]):
            return None
    return found


def _correlation(numbers: Floats | None, target: Floats) -> float | None:
    """Spearman's rank correlation over the runs that have the param; None where it has none."""
    if numbers is None:
        return None
    known = ~np.isnan(numbers)
    if known.sum() < 3:
        return None
    one, other = _ranks(numbers[known]), _ranks(target[known])
    spread = float(one.std() * other.std())
    return float(np.mean((one - one.mean()) * (other - other.mean())) / spread) if spread > 0 else None


def _ranks(values: Floats) -> Floats:
    """Ranks, those of equal values being their mean."""
    _, places, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(count) - (count - 1) / 2.0)[places]
    return ranks


def _clipped(values: Floats) -> Floats:
    # Halved, so that no difference overflows; scale changes no share.
    values = values / 2
    middle = float(np.median(values))
    reach = REACH * float(np.median(np.abs(values - middle)))
    clipped: Floats = np.clip(values, middle - reach, middle + reach) if 0 < reach < math.inf else values
    greatest = float(np.abs(clipped).max())
    return clipped / greatest if greatest > 0 else clipped
