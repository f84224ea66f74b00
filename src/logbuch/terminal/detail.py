"""One run in depth: its params, curves, findings and open alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from logbuch.alerts import Alert
from logbuch.model import Noun
from logbuch.sdk.answers import ask
from logbuch.sdk.connection import Connection
from logbuch.stability.findings import Verdict
from logbuch.terminal.known import curves

MOST_CURVES = 12
BUCKETS = 60
_COLUMNS = ["mean", "min", "max"]


class Curve(Noun, frozen=True, kw_only=True):
    """A metric over the steps: ``values`` are the means of its parts, ``low``, ``high`` and ``last`` of all points."""

    key: str
    values: tuple[float | None, ...]
    points: int
    odd: int
    """How many of the points are NaN or infinite."""
    low: float | None
    high: float | None
    last: float | None


class Detail(Noun, frozen=True, kw_only=True):
    """What the view of one run shows."""

    run_id: str
    name: str
    status: str
    user: str
    params: tuple[tuple[str, str], ...]
    curves: tuple[Curve, ...]
    verdict: Verdict
    alerts: tuple[Alert, ...]


def detail(connection: Connection, run_id: str, metric: str | None) -> Detail:
    """A run by its ID, with the curve of ``metric`` first; ``NotFound`` if it is gone."""
    run = connection.settle().get_run(run_id)
    keys = curves(run.data.metrics, metric, MOST_CURVES)
    body: dict[str, Any] = {"run_ids": [run_id], "keys": keys, "buckets": BUCKETS, "columns": _COLUMNS}
    series = {one["key"]: one for one in ask(connection, "/metrics/outline", body, "POST")["series"]} if keys else {}
    alerts = ask(connection, "/alerts", {"run_id": [run_id], "open": "true", "max_results": "20"})["alerts"]
    return Detail(
        run_id=run_id,
        name=run.info.run_name,
        status="LOST" if run.info.lost else str(run.info.status),
        user=run.info.user_id,
        params=tuple(sorted(run.data.params.items())),
        curves=tuple(_curve(series[key], run.data.metrics[key]) for key in keys if key in series),
        verdict=msgspec.convert(ask(connection, "/runs/stability", {"run_id": run_id}), Verdict),
        alerts=tuple(msgspec.convert(alerts, list[Alert])),
    )


def _curve(series: dict[str, Any], last: float) -> Curve:
    columns = series["columns"]
    return Curve(
        key=series["key"],
        values=tuple(columns["mean"]),
        points=series["points"],
        odd=series["nan"] + series["pos_inf"] + series["neg_inf"],
        low=min(_known(columns["min"]), default=None),
        high=max(_known(columns["max"]), default=None),
        last=last,
    )


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
