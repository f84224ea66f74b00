"""The answers of the tracker, by functions: ``logbuch.best_run`` and ``logbuch.check_run``."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch.answers import Best, Reading
from logbuch.errors import InvalidInput, NotFound
from logbuch.sdk import active, experiments
from logbuch.sdk.connection import Connection, connect
from logbuch.stability.findings import Verdict

_BASE = "/api/logbuch/1"


def best_run(
    experiment: str | None = None,
    metric: str | None = None,
    filter_string: str = "",
    *,
    lower: bool | None = None,
    reading: str = Reading.LAST,
) -> Best:
    """The best finished run of an experiment (its name or ID; None: the current one), and how sure that is.

    Without a ``metric`` it is the evaluation loss, or what comes nearest. ``lower`` says whether lower is better; None
    leaves that to the experiment's tags and the metric's name. ``reading`` is ``"last"``, or ``"best"`` for the best
    value that a run ever had. Runs that differ in nothing but the seed are taken together, see
    :class:`logbuch.answers.Best`. ``NotFound`` where there is no such run; ``InvalidInput`` where nothing tells which
    way is better.
    """
    connection = connect()
    body = {
        "experiment_id": experiment_id(connection, experiment),
        "metric": metric or "",
        "filter": filter_string,
        "reading": str(reading),
    }
    if lower is not None:
        body["lower"] = "true" if lower else "false"
    return msgspec.convert(ask(connection, "/experiments/best", body), Best)


def check_run(run_id: str | None = None) -> Verdict:
    """Whether a run (None: the active one) is stable, and what was found; see docs/reference/stability.md."""
    if run_id is None:
        run = active.top()
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
            raise
        return backend.get_experiment(experiment).experiment_id
