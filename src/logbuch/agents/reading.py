"""What an agent may ask. Every function is a tool: its name, annotations and docstring are what the agent is told.

Answers are plain JSON: no NaN, and not more than an agent can read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from logbuch.errors import InvalidInput
from logbuch.model import Run, ViewType
from logbuch.sdk import answers, differences
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.connection import connect
from logbuch.stability.parts import SYSTEM

Answer = dict[str, Any]
MOST_ROWS, MOST_BUCKETS, MOST_SERIES = 200, 500, 50
TEXT_LENGTH = 2000
"""Longer params and tags are cut: the details of one run give them whole."""


def list_experiments(filter: str = "", limit: int = 50) -> Answer:  # noqa: A002
    """List experiments, the newest first. `filter` is a search such as "name LIKE 'llama%'" or "tags.team = 'nlp'"."""
    found = LogbuchClient().search_experiments(ViewType.ACTIVE_ONLY, _limit(limit), filter, ["creation_time DESC"])
    return {
        "experiments": [
            {"experiment_id": one.experiment_id, "name": one.name, "tags": _cut(one.tags)} for one in found
        ],
        "more": found.token is not None,
    }


def search_runs(
    experiment: str,
    filter: str = "",  # noqa: A002
    order_by: list[str] | None = None,
    limit: int = 20,
) -> Answer:
    """Search the runs of an experiment (its name or ID).

    `filter` is a search such as "metrics.`eval/loss` < 2 AND params.lr = '0.001' AND attributes.status = 'FINISHED'";
    `order_by` lists keys such as "metrics.`eval/loss` ASC". Each run comes with its params and last metrics, without
    those of the system.
    """
    wanted = answers.experiment_id(connect(), experiment)
    found = LogbuchClient().search_runs(
        [wanted], filter, max_results=_limit(limit), order_by=order_by or ["attributes.start_time DESC"]
    )
    return {"experiment_id": wanted, "runs": [_row(run) for run in found], "more": found.token is not None}


def get_run(run_id: str) -> Answer:
    """Everything about one run but its curves: status, params, last metrics, tags, data sets and its files."""
    client = LogbuchClient()
    run = client.get_run(run_id)
    files = client.list_artifacts(run_id)
    return {
        **_head(run),
        "params": dict(run.data.params),
        "metrics": {point.key: {"last": _number(point.value), "step": point.step} for point in run.data.metric_points},
        "tags": dict(run.data.tags),
        "datasets": [{"name": one.dataset.name, "digest": one.dataset.digest} for one in run.inputs.dataset_inputs],
        "files": [{"path": file.path, "is_dir": file.is_dir, "bytes": file.file_size} for file in files],
    }


def best_run(
    experiment: str,
    metric: str = "",
    filter: str = "",  # noqa: A002
    reading: str = "",
) -> Answer:
    """Which finished run of an experiment (its name or ID) was best, and whether its lead is more than seed noise.

    Without `metric` it is the one that the experiment is judged by, else the evaluation loss or what comes nearest.
    `reading` is "last" (a run's last value), "best" (the best it ever had) or "smoothed" (the best of its moving
    average); empty is what the experiment says. Runs that differ in nothing but the seed are one group.
    """
    found = answers.best_run(experiment, metric or None, filter, reading=reading or None)
    return _plain(found) | {"significant": found.significant}


def param_importance(
    experiment: str,
    metric: str = "",
    filter: str = "",  # noqa: A002
    reading: str = "",
) -> Answer:
    """Which params explain a metric of an experiment's finished runs, by a random forest: the share of the metric's
    spread that each tells, its rank correlation, and the best run's value beside the usual one. The arguments are those
    of best_run. Says so where there are too few runs."""
    return _plain(answers.param_importance(experiment, metric or None, filter, reading=reading or None))


def diff_runs(run_ids: list[str]) -> Answer:
    """In what two or more runs differ: params, code, data, machine, packages, last metrics; differences only."""
    return _plain(differences.diff_runs(run_ids))


def check_run(run_id: str) -> Answer:
    """Whether a training was stable: a word, and findings (spikes, divergence, NaN, plateaus, …) with their steps."""
    return _plain(answers.check_run(run_id))


def metric_history(
    run_ids: list[str],
    keys: list[str],
    buckets: int = 50,
    x: str = "step",
    start: float | None = None,
    end: float | None = None,
    smoothing: float = 0.0,
) -> Answer:
    """The curves of metrics, in at most `buckets` parts each, with the x, count, min, max, mean and last of each part.

    `x` is "step", "time" (Unix ms) or "relative" (ms since the run began); `start` and `end` narrow it. `smooth` is the
    moving average with the weight `smoothing` for what was before. A spike one step wide is in the max of its part.
    Counts of NaN and infinite values are told for the whole curve.
    """
    if not 1 <= buckets <= MOST_BUCKETS:
        raise InvalidInput(f"Invalid value {buckets} for parameter 'buckets': 1 to {MOST_BUCKETS}.")
    if len(run_ids) * len(keys) > MOST_SERIES:
        raise InvalidInput(f"At most {MOST_SERIES} curves (run_ids times keys) can be asked for at once.")
    body = {"run_ids": run_ids, "keys": keys, "x": x, "start": start, "end": end, "buckets": buckets,
            "smoothing": smoothing}  # fmt: skip
    return answers.ask(connect(), "/metrics/outline", body, "POST")


TOOLS = (list_experiments, search_runs, get_run, best_run, param_importance, diff_runs, check_run, metric_history)


def _limit(limit: int) -> int:
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidInput(f"Invalid value {limit} for parameter 'limit': 1 to {MOST_ROWS}.")
    return limit


def _head(run: Run) -> Answer:
    info = run.info
    return {
        "run_id": info.run_id,
        "name": info.run_name,
        "experiment_id": info.experiment_id,
        "status": "LOST" if info.lost else str(info.status),
        "start_time": info.start_time,
        "end_time": info.end_time,
    }


def _row(run: Run) -> Answer:
    metrics = {key: _number(value) for key, value in run.data.metrics.items() if not key.startswith(SYSTEM)}
    stability = run.data.tags.get("logbuch.stability")
    return {**_head(run), "stability": stability, "params": _cut(run.data.params), "metrics": metrics}


def _cut(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: text if len(text) <= TEXT_LENGTH else f"{text[:TEXT_LENGTH]}…" for key, text in texts.items()}


def _number(value: float) -> float | str:
    """JSON knows no NaN and no infinity: they are told as words."""
    return value if math.isfinite(value) else str(value)


def _plain(noun: msgspec.Struct) -> Answer:
    """A noun as JSON knows it; what is no number is null."""
    plain: Answer = msgspec.json.decode(msgspec.json.encode(noun))
    return plain
