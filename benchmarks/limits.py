"""The limits that a tracker cannot pass: its parts alone, without the tracker."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from benchmarks.encoders import BATCH, JsonBatches
from benchmarks.figures import Figures
from benchmarks.generator import dense

ROW = ("0" * 32, "loss", 0.25, 1_700_000_000_000, 1)
TABLE = "CREATE TABLE metrics (run TEXT, key TEXT, value REAL, timestamp INTEGER, step INTEGER)"
INSERT = "INSERT INTO metrics VALUES (?, ?, ?, ?, ?)"
REPETITIONS = 50


class _Metric(msgspec.Struct):
    key: str
    value: float
    timestamp: int
    step: int = 0


class _Batch(msgspec.Struct):
    run_id: str
    metrics: list[_Metric]


def sqlite_inserts(seconds: float) -> Figures:
    """Bare inserts, each commit durable: a row a commit against ``log-metric``, 1,000 rows against ``log-batch``."""
    one, one_cpu = _insert_rate(1, seconds)
    many, many_cpu = _insert_rate(BATCH, seconds)
    return {
        "log-metric, requests/s": one,
        "log-metric, requests/CPU-s": one_cpu,
        "log-batch 20×50, points/s": many,
        "log-batch 20×50, points/CPU-s": many_cpu,
    }


def _insert_rate(rows: int, seconds: float) -> tuple[float, float]:
    """Rows a second and a CPU second, committed so many at a time."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as place,
        closing(sqlite3.connect(Path(place) / "bare.db", isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(TABLE)
        done, begun, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - begun < seconds:
            connection.execute("BEGIN")
            connection.executemany(INSERT, [ROW] * rows)
            connection.execute("COMMIT")
            done += rows
        return done / (time.perf_counter() - begun), done / (time.process_time() - cpu)


def decoding() -> Figures:
    """msgspec alone, from a request's JSON to objects."""
    decode = msgspec.json.Decoder(_Batch).decode
    figures: Figures = {}
    for keys, steps in ((20, 50), (1000, 1)):
        (body,) = JsonBatches().bodies(dense("0" * 32, 0, 0, steps, keys))
        figures[f"log-batch {keys}×{steps}, points/CPU-s"] = keys * steps / _cpu(lambda body=body: decode(body))  # type: ignore[misc]
    return figures


def _cpu(call: Callable[[], object]) -> float:
    """CPU seconds of a call, the median of several rounds."""
    found = []
    for _ in range(7):
        begun = time.process_time()
        for _ in range(REPETITIONS):
            call()
        found.append((time.process_time() - begun) / REPETITIONS)
    return statistics.median(found)
