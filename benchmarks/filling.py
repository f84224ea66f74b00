"""Putting a whole experiment straight into a store of ours: into its tables, where the API would take half an hour.

The rows are those that the API writes, but for the points themselves, which no search reads.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import func, select

from benchmarks.generator import Experiment
from logbuch.model import RunStatus
from logbuch.store import Store, params, schema
from logbuch.store.metrics import ordinal
from logbuch.store.runs import NAME_TAG
from logbuch.store.tx import Tx

PART = 5000
"""Runs of one transaction."""
RUN_MILLISECONDS = 500

_COLUMNS = {
    "runs": ("id", "run_id", "experiment", "name", "user_id", "status", "start_time", "end_time", "deleted"),
    "latest": ("run", "key", "experiment", "step", "timestamp", "value", "min", "min_step", "max", "max_step"),
    "params": ("run", "key", "value", "number"),
    "tags": ("run", "key", "value"),
}
_INSERTS = {name: schema.metadata.tables[name].insert() for name in _COLUMNS}
Rows = Iterator[tuple[Any, ...]]


def fill(store: Store, experiment_id: str, data: Experiment) -> list[str]:
    """Writes all runs of the experiment, finished ones; gives their ids in the order of their numbers."""
    ids = [uuid.uuid4().hex for _ in range(data.count)]
    newest = store.read(lambda tx: tx.execute(select(func.max(schema.runs.c.id))).scalar()) or 0
    for start in range(0, data.count, PART):
        numbers = range(start, min(start + PART, data.count))
        store.write(_write, int(experiment_id), data, numbers, ids, newest + 1)
    store.write(lambda tx: tx.seam.numbered(tx.connection, schema.runs))
    return ids


def _write(tx: Tx, experiment: int, data: Experiment, numbers: range, ids: Sequence[str], first: int) -> None:
    texts = [*data.params_of(0), *data.tags_of(0), (NAME_TAG, "")]
    keys = tx.name_ids([key for key, _ in [*data.metrics_of(0), *texts]])
    rows: dict[str, Rows] = {
        "runs": _heads(experiment, data, numbers, ids, first),
        "latest": _points(experiment, data, numbers, keys, first),
        "params": (
            (first + number, keys[key], value, params.as_number(value))
            for number in numbers
            for key, value in data.params_of(number)
        ),
        "tags": (
            (first + number, keys[key], value)
            for number in numbers
            for key, value in [*data.tags_of(number), (NAME_TAG, f"run-{number}")]
        ),
    }
    for name, columns in _COLUMNS.items():
        tx.insert_rows(_INSERTS[name], columns, list(rows[name]))
    for number in numbers:
        tx.touch(first + number, experiment)


def _heads(experiment: int, data: Experiment, numbers: range, ids: Sequence[str], first: int) -> Rows:
    status = RunStatus.FINISHED.wire
    for number in numbers:
        start = data.start_time(number)
        head = (first + number, ids[number], experiment, f"run-{number}", "bench", status)
        yield (*head, start, start + RUN_MILLISECONDS, False)


def _points(experiment: int, data: Experiment, numbers: range, keys: Mapping[str, int], first: int) -> Rows:
    ids = [keys[key] for key, _ in data.metrics_of(0)]
    values = ordinal.encode_array(np.ascontiguousarray(data.metrics[numbers.start : numbers.stop]))
    for number, row in zip(numbers, values.tolist(), strict=True):
        for key, value in zip(ids, row, strict=True):
            yield (first + number, key, experiment, 0, data.start_time(number), value, value, 0, value, 0)
