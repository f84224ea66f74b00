"""Outlines: buckets of many series, as columns of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store import runs
from logbuch.store.metrics import charts
from logbuch.store.metrics.buckets import COLUMNS, Buckets, View
from logbuch.store.metrics.rows import Axis
from logbuch.store.tx import Tx, beside_latest
from logbuch.wire import native
from logbuch.wire.answers import AskOutline

SHOWN = ("x", "count", "min", "max", "mean", "last", "smooth")
_ODD = {name: COLUMNS.index(name) for name in ("nan", "pos_inf", "neg_inf")}


@beside_latest
def of_run(tx: Tx, run_id: str, keys: Sequence[str], axis: Axis, view: View) -> list[tuple[str, Buckets]]:
    """The series of a run among ``keys``, in buckets; NotFound if there is no such run."""
    head = runs.row(tx, run_id)
    ids = tx.known_names(keys)
    found = charts.tables(tx, head.id, list(ids.values()), axis, view, head.start_time)
    return [(key, found[id_]) for key, id_ in ids.items() if id_ in found]


def check(request: native.BucketsRequest | AskOutline) -> None:
    """What a request may ask of series: how many, how many buckets of each, and how smooth."""
    check_view(request.buckets, request.start, request.end)
    if not 0 <= request.smoothing < 1:
        raise InvalidInput(f"Invalid value {request.smoothing} for parameter 'smoothing': 0 to below 1.")
    if len(request.run_ids) * len(request.keys) > limits.BUCKET_SERIES:
        raise InvalidInput(f"At most {limits.BUCKET_SERIES} series (run_ids times keys) can be asked for at once.")


def check_view(count: int, start: float | None, end: float | None) -> None:
    """What a request may ask of buckets: how many, and between which finite numbers."""
    if not 1 <= count <= limits.BUCKETS:
        raise InvalidInput(f"Invalid value {count} for parameter 'buckets': 1 to {limits.BUCKETS}.")
    for name, value in (("start", start), ("end", end)):
        if value is not None and not np.isfinite(value):
            raise InvalidInput(f"Invalid value {value} for parameter '{name}': it must be a finite number.")


def _outline(tx: Tx, request: AskOutline, by: Caller) -> dict[str, Any]:  # noqa: ARG001
    check(request)
    axis = native.check_axis(request.x)
    view = View(request.buckets, request.start, request.end, request.smoothing)
    keys = tuple(dict.fromkeys(request.keys))
    shown = _shown(request.columns)
    series = [
        _series(run_id, key, found, shown)
        for run_id in dict.fromkeys(request.run_ids)
        for key, found in of_run(tx, run_id, keys, axis, view)
    ]
    return {"x": request.x, "series": series}


def _shown(names: Sequence[str] | None) -> Sequence[str]:
    for name in names or ():
        if name not in SHOWN:
            raise InvalidInput(
                f"Invalid value {limits.clip(name)!r} for parameter 'columns': it is one of {', '.join(SHOWN)}."
            )
    return SHOWN if names is None else names


def _series(run_id: str, key: str, found: Buckets, shown: Sequence[str]) -> dict[str, Any]:
    columns = {name: _known(found.table[COLUMNS.index(name)]) for name in shown}
    odd = {name: int(found.table[place].sum()) for name, place in _ODD.items()}
    return {"run_id": run_id, "key": key, "points": found.points, **odd, "columns": columns}


def _known(values: Any) -> list[float | None]:
    """JSON knows no NaN: a bucket without a finite value has none."""
    return [value if np.isfinite(value) else None for value in values.tolist()]


OPERATIONS = (
    Operation("POST", "/metrics/outline", AskOutline, False, _outline, "Buckets of series as JSON, for programs"),
)
