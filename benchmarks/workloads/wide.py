"""Wide runs: many runs, each with many metrics at many steps, in one experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from benchmarks import encoders, history
from benchmarks.client import NATIVE, Client
from benchmarks.figures import Figures, latency
from benchmarks.generator import Block, dense
from benchmarks.history import Lost
from benchmarks.meter import Meter
from benchmarks.servers import Server
from benchmarks.sizes import Sizes
from benchmarks.workloads import batch, series

LANES = 4
STEPS = 10
"""Steps a request of Logbuch's own protocol; a sender gathers about as many."""
ROWS, COLUMNS = 200, 20
"""What a page of the runs table shows at first."""
CHART_RUNS, CHART_BUCKETS = 20, 600
CHART_SERIES, CHECKED_RUNS = 1000, 10


def measure(server: Server, sizes: Sizes) -> Figures:
    """Logs, lists, filters and draws; the server's memory is watched throughout."""
    runs, keys, steps = sizes.wide
    client = server.client
    experiment_id = client.new_experiment("wide")
    run_ids = [client.new_run(experiment_id) for _ in range(runs)]
    lanes = [_blocks(run_ids, lane, keys, steps) for lane in range(LANES)]
    with server.processes.peak() as most:
        with Meter(server, sizes.quiet_seconds, "wide") as spent:
            batch.log(server, encoders.encoders(server)[-1], lanes)
        figures = _pages(client, experiment_id, run_ids, sizes)
        _check(client, run_ids, keys, steps)
    points = runs * keys * steps
    return {
        "wide logged, points/s": points / spent.seconds,
        "wide logged, points/CPU-s": points / spent.cpu,
        "wide server memory at most, MB": most[0],
        **figures,
    }


def _blocks(run_ids: list[str], lane: int, keys: int, steps: int) -> Iterator[Block]:
    for number in range(lane, len(run_ids), LANES):
        yield from _run(run_ids, number, keys, steps)


def _run(run_ids: list[str], number: int, keys: int, steps: int) -> Iterator[Block]:
    for first in range(0, steps, STEPS):
        yield dense(run_ids[number], number, first, min(STEPS, steps - first), keys)


def _pages(client: Client, experiment_id: str, run_ids: list[str], sizes: Sizes) -> Figures:
    columns = [f"metrics.m{key}" for key in range(COLUMNS)]
    page = {"experiment_ids": [experiment_id], "columns": columns, "max_results": ROWS}
    chart = {"run_ids": run_ids[:CHART_RUNS], "keys": ["m0"], "x": "step", "buckets": CHART_BUCKETS}
    figures: Figures = {}
    for name, path, body in (
        ("first page of the table", "runs/table", page),
        ("page ordered by a metric", "runs/table", page | {"order_by": ["metrics.m7 DESC"]}),
        ("page filtered by a metric", "runs/table", page | {"filter": "metrics.m7 > 0"}),
        (f"chart of {CHART_RUNS} runs", "metrics/buckets", chart),
    ):
        content = msgspec.json.encode(body)
        _check_page(path, client.request("POST", NATIVE + path, content), run_ids)
        spent = [client.timed("POST", NATIVE + path, content)[0] for _ in range(sizes.repetitions)]
        figures |= latency(f"wide {name}", spent)
    return figures


def _check_page(path: str, answer: bytes, run_ids: list[str]) -> None:
    if path == "metrics/buckets":
        drawn = sum(columns["count"].sum() > 0 for _, columns in series.charts(answer))
        if drawn != min(CHART_RUNS, len(run_ids)):
            raise Lost(f"the chart shows {drawn} runs")
        return
    page: Any = msgspec.json.decode(answer)
    if not page["runs"] or any(None in page["columns"][f"metrics.m{key}"]["last"] for key in range(COLUMNS)):
        raise Lost("a page of the runs table lacks values that were acknowledged")


def _check(client: Client, run_ids: list[str], keys: int, steps: int) -> None:
    """Every value of every run by charts, which show short series point by point, and whole histories of some keys."""
    some = max(1, len(run_ids) // CHECKED_RUNS)
    for number, run_id in enumerate(run_ids):
        blocks = list(_run(run_ids, number, keys, steps))
        values = np.concatenate([block.values for block in blocks])
        for first in range(0, keys, CHART_SERIES):
            last = min(first + CHART_SERIES, keys)
            _check_values(client, run_id, blocks[0].keys[first:last], values[:, first:last])
        if number % some == 0:
            history.verify_blocks(client, [_of_keys(block, [0, keys // 2, keys - 1]) for block in blocks])


def _check_values(client: Client, run_id: str, keys: list[str], values: Any) -> None:
    body = {"run_ids": [run_id], "keys": keys, "x": "step", "buckets": len(values)}
    answer = client.request("POST", f"{NATIVE}metrics/buckets", msgspec.json.encode(body))
    found = dict(series.charts(answer))
    for column, key in enumerate(keys):
        steps, first = (found[key][name] if key in found else () for name in ("x", "first"))
        if not np.array_equal(steps, np.arange(len(values))) or not np.array_equal(first, values[:, column]):
            raise Lost(f"{key} of {run_id} came back with other points than were acknowledged")


def _of_keys(block: Block, picked: list[int]) -> Block:
    names = [block.keys[key] for key in picked]
    return Block(block.run_id, names, block.steps, block.timestamps, block.values[:, picked])
