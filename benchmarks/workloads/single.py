"""Many small requests: one point each, and runs."""

from __future__ import annotations

import numpy as np

from benchmarks import history, load
from benchmarks.client import Client
from benchmarks.figures import Figures
from benchmarks.generator import FIRST_TIME
from benchmarks.history import Lost
from benchmarks.load import Driven
from benchmarks.meter import Meter
from benchmarks.servers import Server
from benchmarks.sizes import Sizes

METRIC_CONNECTIONS, RUN_CONNECTIONS = 32, 8
RUNS_WINDOW = 10_000
"""Runs that are read back at once, by their start times: not every tracker can follow its own page tokens so far."""


def measure_metrics(server: Server, sizes: Sizes) -> Figures:
    """``log-metric`` at 32 connections; what came back is held against what was acknowledged."""
    run_id = "0" * 32 if server.kind == "bare" else server.client.new_run("0")
    with Meter(server, sizes.quiet_seconds, "log-metric") as spent:
        driven = load.drive(server.url, "metric", run_id, METRIC_CONNECTIONS, sizes.seconds)
    if server.kind != "bare":
        _verify_points(server.client, run_id, driven)
    return _rates("log-metric", driven, spent)


def measure_runs(server: Server, sizes: Sizes) -> Figures:
    """``runs/create`` at 8 connections."""
    experiment = "0" if server.kind == "bare" else server.client.new_experiment("created")
    with Meter(server, sizes.quiet_seconds, "runs/create") as spent:
        driven = load.drive(server.url, "run", experiment, RUN_CONNECTIONS, sizes.seconds)
    if server.kind != "bare":
        check_sent(
            _run_numbers(server.client, experiment, driven.sent), driven, RUN_CONNECTIONS, f"runs of {server.title}"
        )
    return _rates("runs/create", driven, spent)


def _rates(name: str, driven: Driven, spent: Meter) -> Figures:
    return {
        f"{name}, requests/s": driven.answered / driven.seconds,
        f"{name}, requests/CPU-s": driven.answered / spent.cpu,
        f"{name} answer, ms": driven.median_ms,
    }


def check_sent(numbers: list[int], driven: Driven, connections: int, what: str) -> None:
    """Holds the numbers (1, 2, …) of what is stored against what was sent and answered.

    What was under way when the time was up may be missing, but only that many, and only among the last sent.
    """
    if len(set(numbers)) != len(numbers):
        raise Lost(f"{what}: {len(numbers) - len(set(numbers))} are there more than once")
    wanted = set(range(1, driven.sent + 1))
    missing, strange = wanted - set(numbers), set(numbers) - wanted
    if strange:
        raise Lost(f"{what}: {len(strange)} were never sent")
    early = [number for number in missing if number <= driven.sent - 50 * connections]
    if len(missing) > driven.sent - driven.answered or early:
        raise Lost(f"{what}: {len(missing)} of {driven.sent} sent are missing, of which {driven.answered} answered")


def _verify_points(client: Client, run_id: str, driven: Driven) -> None:
    found = history.read(client, run_id, "loss").series
    check_sent(found.steps.tolist(), driven, METRIC_CONNECTIONS, "points")
    if not np.array_equal(found.values, found.steps + 0.25):
        raise Lost("points came back with other values")


def _run_numbers(client: Client, experiment: str, sent: int) -> list[int]:
    numbers = []
    for first in range(0, sent + 1, RUNS_WINDOW):
        low = FIRST_TIME + first
        window = f"attributes.start_time >= {low} AND attributes.start_time < {low + RUNS_WINDOW}"
        body = {"experiment_ids": [experiment], "filter": window, "max_results": RUNS_WINDOW}
        found = client.post("runs/search", body).get("runs", ())
        numbers += [int(run["info"]["run_name"][1:]) for run in found]
    return numbers
