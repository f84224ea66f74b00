"""The answers of the tracker, by functions: ``logbuch.best_run``, ``logbuch.check_run`` and their like."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

from logbuch.answers import Best, Importance
from logbuch.errors import InvalidInput, NotFound
from logbuch.limits import clip
from logbuch.model import ViewType
from logbuch.sdk import experiments, stack
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.connection import Connection, connect
from logbuch.stability.findings import Verdict

_BASE = "/api/logbuch/1"
MOST_NAMES, SHOWN_NAMES = 1000, 3
"""Experiments among which one of a like name is sought, and that are named."""


def best_run(
    experiment: str | None = None,
    metric: str | None = None,
    filter_string: str = "",
    *,
    lower: bool | None = None,
    reading: str | None = None,
) -> Best:
    """The best finished run of an experiment (its name or ID; None: the current one), and how sure that is.

    What is left open is as the experiment says (see :func:`judge_by`): a ``metric``, else the evaluation loss or what
    comes nearest; whether ``lower`` is better, else as the metric's name tells; and ``reading``: ``"last"`` for a run's
    last value, ``"best"`` for the best it ever had, ``"smoothed"`` for the best of its moving average. Runs that differ
    in nothing but the seed are taken together, see :class:`logbuch.answers.Best`. ``NotFound`` where there is no such
    run; ``InvalidInput`` where nothing tells which way is better.
    """
    connection = connect()
    return msgspec.convert(
        ask(connection, "/experiments/best", _question(connection, experiment, metric, filter_string, lower, reading)),
        Best,
    )


def param_importance(
    experiment: str | None = None,
    metric: str | None = None,
    filter_string: str = "",
    *,
    lower: bool | None = None,
    reading: str | None = None,
) -> Importance:
    """Which params explain a metric of finished runs, the most important first; see docs/reference/importance.md.

    The arguments are those of :func:`best_run`. Where there are too few runs, ``reason`` says so.
    """
    connection = connect()
    body = _question(connection, experiment, metric, filter_string, lower, reading)
    return msgspec.convert(ask(connection, "/experiments/importance", body, "POST"), Importance)


def judge_by(
    experiment: str | None = None,
    *,
    metric: str | None = None,
    lower: bool | None = None,
    reading: str | None = None,
    baseline: str | None = None,
) -> Mapping[str, str]:
    """Says by what an experiment (its name or ID; None: the current one) is judged from now on, for everyone.

    The ``metric`` where none is named; whether ``lower`` is better and the ``reading`` of that metric; and the
    ``baseline``, the ID of a run that others are held against (``""``: none). What is None stays as it is. Returns the
    tags of the experiment that say it. ``NotFound`` for a run that is not in the experiment.
    """
    connection = connect()
    body: dict[str, Any] = {"experiment_id": experiment_id(connection, experiment), "metric": metric or ""}
    body |= {"lower": lower, "reading": reading or "", "baseline": baseline}
    tags: dict[str, str] = ask(connection, "/experiments/judge", body, "POST")["tags"]
    return tags


def _question(
    connection: Connection,
    experiment: str | None,
    metric: str | None,
    filter_string: str,
    lower: bool | None,
    reading: str | None,
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "experiment_id": experiment_id(connection, experiment),
        "metric": metric or "",
        "filter": filter_string,
    }
    if reading:  # which older servers do not know
        body["reading"] = str(reading)
    return body if lower is None else body | {"lower": "true" if lower else "false"}


def check_run(run_id: str | None = None) -> Verdict:
    """Whether a run (None: the active one) is stable, and what was found; see docs/reference/stability.md."""
    if run_id is None:
        run = stack.top()
        if run is None:
            raise InvalidInput("No run is active: give a run_id.")
        run_id = run.run.info.run_id
    return msgspec.convert(ask(connect(), "/runs/stability", {"run_id": run_id}), Verdict)


def ask(connection: Connection, path: str, body: dict[str, Any], method: str = "GET") -> dict[str, Any]:
    """What the tracker's own protocol answers at a path."""
    return connection.settle().ask(method, _BASE + path, body)


def experiment_id(connection: Connection, experiment: str | None) -> str:
    """The ID of an experiment by its name or ID (None: the current one). A name goes before an ID: experiments may be
    named with numbers."""
    if experiment is None:
        return experiments.current_id(connection)
    backend = connection.settle()
    try:
        return backend.get_experiment_by_name(experiment).experiment_id
    except NotFound:
        if not experiment.isdigit():
            raise NotFound(_no_experiment(backend, experiment)) from None
        return backend.get_experiment(experiment).experiment_id


def _no_experiment(backend: Backend, name: str) -> str:
    """That there is none of this name, and which there are: the most alike, else the newest."""
    found, _ = backend.search_experiments(ViewType.ACTIVE_ONLY, MOST_NAMES, "", ["last_update_time DESC"], "")
    names = [one.name for one in found]
    near = difflib.get_close_matches(name, names, SHOWN_NAMES, 0.5) or names[:SHOWN_NAMES]
    there = f" There are {', '.join(clip(repr(one)) for one in near)}." if near else ""
    return f"There is no experiment {clip(name)!r}.{there}"


def runs_named(name: str, limit: int) -> list[str]:
    """The IDs of at most so many runs of that name, the newest first. A name that no filter can say has none."""
    backend = connect().settle()
    found, _ = backend.search_experiments(ViewType.ACTIVE_ONLY, MOST_NAMES, "", ["last_update_time DESC"], "")
    ids, quote = [one.experiment_id for one in found], '"' if "'" in name else "'"
    wanted, order = f"attributes.run_name = {quote}{name}{quote}", ["attributes.start_time DESC"]
    try:
        runs, _ = backend.search_runs(ids, wanted, ViewType.ACTIVE_ONLY, limit, order, "")
    except InvalidInput:
        return []
    return [run.info.run_id for run in runs]
