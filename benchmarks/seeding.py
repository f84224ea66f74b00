"""Putting a whole experiment or a long series into a server: through its fastest API, or into MLflow's own tables.

MLflow would take hours by its API. Written straight into the tables that it made, the rows are those that it writes.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import load
from benchmarks.client import MLFLOW
from benchmarks.encoders import NativeIngest
from benchmarks.generator import Experiment, Series
from benchmarks.load import Connection
from benchmarks.servers import Server
from logbuch.model import RunStatus
from logbuch.wire import ingest

CONNECTIONS = 16
JOURNALS, BATCH_RUNS = 4, 50
PART = 2000
RUN_MILLISECONDS = 500
_COLUMNS = {
    "runs": "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, "
    "source_version, lifecycle_stage, artifact_uri, experiment_id",
    "params": "key, value, run_uuid",
    "tags": "key, value, run_uuid",
    "metrics": "key, value, timestamp, run_uuid, step, is_nan",
    "latest_metrics": "key, value, timestamp, run_uuid, step, is_nan",
}


def seed_runs(server: Server, experiment_id: str, data: Experiment) -> list[str]:
    """Logs all runs of the experiment, finished ones; gives their ids in the order of their numbers."""
    if server.kind == "mlflow":
        return _runs_into_tables(_file(server), experiment_id, data)
    if server.kind == "logbuch":
        return _runs_by_ingest(server, experiment_id, data)
    ids = [""] * data.count

    async def work(connection: Connection, number: int) -> None:
        ids[number] = await _log_run(connection, experiment_id, data, number)

    load.share(server.url, range(data.count), CONNECTIONS, work)
    return ids


def _runs_by_ingest(server: Server, experiment_id: str, data: Experiment) -> list[str]:
    """Each connection writes a journal of its own."""
    ids = [uuid.uuid4().hex for _ in range(data.count)]

    def bodies(lane: int) -> Iterator[bytes]:
        encoder = NativeIngest()
        for first in range(lane * BATCH_RUNS, data.count, JOURNALS * BATCH_RUNS):
            numbers = range(first, min(first + BATCH_RUNS, data.count))
            yield encoder.batch([rec for n in numbers for rec in _records(experiment_id, data, n, ids[n])])

    async def work(connection: Connection, body: bytes) -> None:
        NativeIngest.check(await connection.post(NativeIngest.path, body, NativeIngest.content_type))

    load.lanes(server.url, [bodies(lane) for lane in range(JOURNALS)], work)
    return ids


def _records(experiment_id: str, data: Experiment, number: int, id_: str) -> list[ingest.Record]:
    start, points = data.start_time(number), ingest.Points(id_)
    for key, value in data.metrics_of(number):
        points.add(key, 0, start, value)
    return [
        ingest.NewRun(id_, "", experiment_id, f"run-{number}", "bench", start, data.tags_of(number)),
        ingest.Params(id_, data.params_of(number)),
        points.record(),
        ingest.Update(id_, RunStatus.FINISHED, start + RUN_MILLISECONDS),
    ]


async def _log_run(connection: Connection, experiment_id: str, data: Experiment, number: int) -> str:
    async def post(path: str, body: dict[str, Any]) -> bytes:
        return await connection.post(MLFLOW + path, msgspec.json.encode(body))

    start = data.start_time(number)
    run = {"experiment_id": experiment_id, "start_time": start, "run_name": f"run-{number}"}
    answer = await post("runs/create", run | {"tags": _pairs(data.tags_of(number))})
    run_id: str = msgspec.json.decode(answer)["run"]["info"]["run_id"]
    metrics = [{"key": key, "value": value, "timestamp": start, "step": 0} for key, value in data.metrics_of(number)]
    await post("runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": _pairs(data.params_of(number))})
    await post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": start + RUN_MILLISECONDS})
    return run_id


def _pairs(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs]


def seed_series(server: Server, run_id: str, key: str, series: Series) -> None:
    """Writes a series into MLflow's tables."""
    columns = (series.values.tolist(), series.timestamps.tolist(), series.steps.tolist())
    rows = ((key, value, timestamp, run_id, step, 0) for value, timestamp, step in zip(*columns, strict=True))
    last = (key, columns[0][-1], columns[1][-1], run_id, columns[2][-1], 0)
    with closing(sqlite3.connect(_file(server), timeout=120)) as connection:
        _insert(connection, "metrics", rows)
        _insert(connection, "latest_metrics", [last])
        connection.commit()


def _runs_into_tables(file: Path, experiment_id: str, data: Experiment) -> list[str]:
    ids = [uuid.uuid4().hex for _ in range(data.count)]
    with closing(sqlite3.connect(file, timeout=120)) as connection:
        for first in range(0, data.count, PART):
            rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
            for number in range(first, min(first + PART, data.count)):
                _add_run(rows, experiment_id, data, number, ids[number])
            for table, found in rows.items():
                _insert(connection, table, found)
        connection.commit()
    return ids


def _add_run(
    rows: dict[str, list[tuple[Any, ...]]], experiment_id: str, data: Experiment, number: int, id_: str
) -> None:
    name, start = f"run-{number}", data.start_time(number)
    place = f"mlflow-artifacts:/{experiment_id}/{id_}/artifacts"
    head = (id_, name, "UNKNOWN", "", "", "bench", "FINISHED", start, start + RUN_MILLISECONDS, "", "active", place)
    rows["runs"].append((*head, int(experiment_id)))
    rows["params"] += [(key, value, id_) for key, value in data.params_of(number)]
    rows["tags"] += [(key, value, id_) for key, value in [*data.tags_of(number), ("mlflow.runName", name)]]
    points = [(key, value, start, id_, 0, 0) for key, value in data.metrics_of(number)]
    rows["metrics"] += points
    rows["latest_metrics"] += points


def _insert(
    connection: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]
) -> None:
    columns = _COLUMNS[table]
    marks = ", ".join("?" * len(columns.split(",")))
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def _file(server: Server) -> Path:
    file = server.sqlite_file
    assert file is not None
    return file
