"""By what the runs of an experiment are judged: metric, direction, reading and baseline, as asked or as the
experiment's tags say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from logbuch import limits
from logbuch.answers import BASELINE_TAG, DIRECTION_TAG, METRIC_TAG, READING_TAG, Reading, direction, main_metric
from logbuch.answers import reading as told_reading
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Experiment, Tag
from logbuch.store import experiments, runs, schema, search
from logbuch.store.answers.missing import SAMPLE, finished, no_value
from logbuch.store.metrics import backlog
from logbuch.store.search import RunQuery
from logbuch.store.tx import Tx

_latest = schema.latest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question names; what it leaves open is the experiment's to say."""

    metric: str | None = None
    lower: bool | None = None
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """A metric, whether lower is better, and how a run is read."""

    metric: str
    lower: bool
    reading: Reading


def settle(tx: Tx, experiment: Experiment, wanted: Wanted, filter_: str = "") -> Criterion:
    """By what is judged; NotFound where no finished run has a metric, InvalidInput where no direction is told."""
    tags = experiment.tags
    pinned = tags.get(METRIC_TAG, "")
    named = wanted.metric or (pinned if pinned in tx.known_names([pinned]) else "")
    key = limits.check_key(named, "metric") if named else _main(tx, experiment, filter_)
    lower = direction(key, tags) if wanted.lower is None else wanted.lower
    if lower is None:
        if not tx.known_names([key]):
            raise no_value(tx, experiment, filter_, key)
        raise InvalidInput(
            f"The name of the metric {limits.clip(key)!r} does not tell whether lower or higher is better: "
            "say which (--lower, --higher)."
        )
    return Criterion(key, lower, wanted.reading or told_reading(key, tags))


def keep(tx: Tx, experiment_id: str, wanted: Wanted, baseline: str | None) -> Mapping[str, str]:
    """Writes into the experiment's tags what is named, so that it is used from now on wherever runs are judged.

    Direction and reading are those of the named metric, else of the one that the experiment is judged by. A
    ``baseline`` is a run of the experiment; an empty one takes it away. Returns the tags that say it.
    """
    experiment = experiments.get(tx, experiment_id)
    if wanted.metric:
        _set(tx, experiment_id, METRIC_TAG, limits.check_key(wanted.metric, "metric"))
    key = wanted.metric or experiment.tags.get(METRIC_TAG)
    if key is None and (wanted.lower is not None or wanted.reading is not None):
        backlog.catch_up(tx)
        key = _main(tx, experiment, "")
    if wanted.lower is not None:
        _set(tx, experiment_id, f"{DIRECTION_TAG}{key}", "lower" if wanted.lower else "higher")
    if wanted.reading is not None:
        _set(tx, experiment_id, f"{READING_TAG}{key}", str(wanted.reading))
    if baseline is not None:
        _pin(tx, experiment, baseline)
    tags = experiments.get(tx, experiment_id).tags
    return {name: tags[name] for name in tags if _says(name)}


def _says(tag: str) -> bool:
    return tag in (METRIC_TAG, BASELINE_TAG) or tag.startswith((DIRECTION_TAG, READING_TAG))


def _pin(tx: Tx, experiment: Experiment, run_id: str) -> None:
    if run_id:
        if str(runs.row(tx, run_id).experiment) != experiment.experiment_id:
            raise NotFound(f"There is no run {limits.clip(run_id)!r} in experiment {experiment.experiment_id}.")
        _set(tx, experiment.experiment_id, BASELINE_TAG, run_id)
    elif BASELINE_TAG in experiment.tags:
        experiments.delete_tag(tx, experiment.experiment_id, BASELINE_TAG)


def _set(tx: Tx, experiment_id: str, key: str, value: str) -> None:
    experiments.set_tag(tx, experiment_id, Tag(key=key, value=value))


def _main(tx: Tx, experiment: Experiment, filter_: str) -> str:
    """The main metric of the newest finished runs."""
    query = RunQuery((experiment.experiment_id,), finished(filter_), ("attributes.start_time DESC",))
    rows, _ = search.page(tx, query, SAMPLE)
    mine = _latest.c.run.in_([row.id for row in rows])
    counts = tx.execute(select(_latest.c.key, func.count()).where(mine).group_by(_latest.c.key)).all()
    names = tx.texts(key for key, _ in counts)
    found = main_metric({names[key]: count for key, count in counts})
    if found is None:
        raise no_value(tx, experiment, filter_)
    return found
