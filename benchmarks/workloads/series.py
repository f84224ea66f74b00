"""Long series: the whole history, buckets for a chart, and bytes a point."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from benchmarks import disk, encoders, generator, history, seeding
from benchmarks.client import NATIVE, Client
from benchmarks.encoders import JsonBatches
from benchmarks.figures import Figures, latency
from benchmarks.history import Lost
from benchmarks.meter import Meter
from benchmarks.servers import Server
from benchmarks.sizes import Sizes
from benchmarks.workloads import batch

BUCKETS = 2000
BULK_POINTS = 20_000
ZOOM = 20
"""The zoomed chart shows one such part of the series."""


def measure_history(server: Server, sizes: Sizes) -> Figures:
    """All pages of ``get-history`` of one metric."""
    client, series = server.client, generator.series(sizes.history_points, noisy=True)
    run_id = client.new_run("0")
    if server.kind == "mlflow":
        seeding.seed_series(server, run_id, "loss", series)
    else:
        batch.log(server, JsonBatches, [series.blocks(run_id, "loss", encoders.BATCH)])
    server.processes.rest(sizes.quiet_seconds)
    with Meter(server, sizes.quiet_seconds, "get-history") as spent:
        found = history.read(client, run_id, "loss")
    history.verify(found.series, series, "history")
    return {"get-history all pages, s": found.seconds, "get-history all pages, CPU-s": spent.cpu}


def measure_long(server: Server, sizes: Sizes) -> Figures:
    """10,000,000 points of one metric: charts of all of it and of a part; bytes a point, noisy and smooth."""
    figures: Figures = {}
    client, encoder = server.client, encoders.encoders(server)[-1]
    for name, points in (("noisy", sizes.long_points), ("smooth", sizes.long_points // 5)):
        series = generator.series(points, noisy=name == "noisy")
        run_id, before = client.new_run("0"), server.disk()
        title = f"long series {name}"
        with Meter(server, sizes.quiet_seconds, title) as spent:
            batch.log(server, encoder, [series.blocks(run_id, "loss", BULK_POINTS)])
        figures |= (disk.grown_by if name == "noisy" else disk.used_by)(title, before, server.disk(), points)
        found = history.read(client, run_id, "loss")
        history.verify(found.series, series, title)
        if name == "noisy":
            figures["long series logged, points/s"] = points / spent.seconds
            figures["long series logged, points/CPU-s"] = points / spent.cpu
            figures["long series get-history, s"] = found.seconds
            figures |= _charts(client, run_id, series, sizes)
    return figures


def _charts(client: Client, run_id: str, series: generator.Series, sizes: Sizes) -> Figures:
    points = len(series.steps)
    middle = (points // 2, points // 2 + points // ZOOM - 1)
    figures: Figures = {}
    for name, start, end in ((f"{BUCKETS} buckets", 0, points - 1), (f"{BUCKETS} buckets zoomed", *middle)):
        body = {"run_ids": [run_id], "keys": ["loss"], "x": "step", "buckets": BUCKETS, "start": start, "end": end}
        path, content = f"{NATIVE}metrics/buckets", msgspec.json.encode(body)
        _check_chart(client.request("POST", path, content), series.values[start : end + 1], name)
        spent = [client.timed("POST", path, content)[0] for _ in range(sizes.repetitions)]
        figures |= latency(f"long series {name}", spent, tail=True)
    return figures


def _check_chart(answer: bytes, values: Any, name: str) -> None:
    """The chart must count every point and reach from the least to the greatest value."""
    ((_, found),) = charts(answer)
    if found["count"].sum() != len(values):
        raise Lost(f"{name}: {found['count'].sum():.0f} points are counted where {len(values)} lie")
    if found["min"].min() != values.min() or found["max"].max() != values.max():
        raise Lost(f"{name}: the envelope leaves out the least or the greatest value")


def charts(answer: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The series of a binary answer of buckets: the metric, and float64 columns by name.

    docs/reference/rest.md describes the form.
    """
    (length,) = struct.unpack_from("<I", answer)
    header = json.loads(answer[4 : 4 + length])
    for series in header["series"]:
        size, start = series["buckets"], 4 + length + series["offset"]
        table = np.frombuffer(answer, "<f8", size * len(header["columns"]), start).reshape(-1, size)
        yield series["key"], dict(zip(header["columns"], table, strict=True))
