"""``python -m benchmarks.answers``: the four answers at 100,000 runs, the first time and again.

Seeds an experiment of 20 params, 20 metrics and four seeds of each configuration, among them one long training and a
few that still run, and asks a server that has just been started: so the first answer is a first one. Prints wall and
the server's CPU time of each, in milliseconds; ``again`` is the median of five. ``panel`` is what the answers on top of
an experiment's page ask for together, at once. With ``--folder`` the database stays and is used again.

The server judges no run by itself, which would go on beside what is measured: the runs come with the tags of verdicts.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

import logbuch
from benchmarks import generator, servers
from benchmarks.generator import Experiment
from benchmarks.seeding import seed_runs
from benchmarks.servers import Server
from logbuch.sdk.connection import connect
from logbuch.terminal.looking import Looker

NATIVE = "/api/logbuch/1"
SEEDS, AGAIN, GOING, LONG = 4, 5, 8, 200_000
NAME = "sweep"
UNJUDGED = {"LOGBUCH_CHECK_RUNS": "false"}
Ask = Callable[[], Any]


class Sweep(Experiment):
    """Configurations that each ran with four seeds; the loss hangs on three of the params, GPUs on the run's number."""

    def __init__(self, count: int) -> None:
        super().__init__(count, tags=5)
        self.params = self.params[np.arange(count) // SEEDS]
        random = np.random.default_rng(7)
        told = self.params[:, 0] / 20 + (self.params[:, 1] - 9) ** 2 / 200 + self.params[:, 2] * self.params[:, 3] / 900
        self.losses = 1 + told + random.normal(0, 0.02, count)

    def metrics_of(self, number: int) -> list[tuple[str, float]]:
        own = super().metrics_of(number)[3:]
        loss = float(self.losses[number])
        return [("eval/loss", loss), ("train/loss", loss * 0.9), ("system/energy_watt_hours", 20.0 + number % 50), *own]

    def params_of(self, number: int) -> list[tuple[str, str]]:
        return [*super().params_of(number)[1:], ("lr", f"{self.params[number, 0]}"), ("seed", str(number % SEEDS))]

    def tags_of(self, number: int) -> list[tuple[str, str]]:
        verdict = "diverged" if number % 50 == 0 else "stable"
        gpus = f"{1 + number % 8} × NVIDIA A100-SXM4-80GB"
        return [*super().tags_of(number), ("logbuch.gpu", gpus), ("logbuch.stability", verdict)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL instead of SQLite")
    parser.add_argument("--folder", type=Path, help="keeps the SQLite database here, and takes one that is there")
    options = parser.parse_args()
    if options.postgres:
        with servers.logbuch_postgres(UNJUDGED) as server:
            _measure(server, options.runs)
        return 0
    with servers.logbuch_sqlite(options.folder, UNJUDGED) as server:
        _measure(server, options.runs)
    return 0


def _measure(server: Server, runs: int) -> None:
    found = httpx.get(f"{server.url}/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": NAME})
    experiment = str(found.json()["experiment"]["experiment_id"]) if found.is_success else _seed(server, runs)
    print(f"{server.title}, {runs:,} runs\n  {'':30} {'first':>16} {'again':>16}")
    print(f"  {'':30} {'wall':>8}{'CPU':>8} {'wall':>8}{'CPU':>8}  ms")
    for name, ask in _questions(server, experiment).items():
        server.stop()
        server.start()
        httpx.get(f"{server.url}{NATIVE}/experiments/best", params={"experiment_id": "0"})  # what is imported is loaded
        first, first_cpu = _timed(server, ask)
        again = [_timed(server, ask) for _ in range(AGAIN)]
        wall, cpu = (statistics.median(column) for column in zip(*again, strict=True))
        print(f"  {name:30} {first:8.0f}{first_cpu:8.0f} {wall:8.0f}{cpu:8.0f}", flush=True)


def _timed(server: Server, ask: Ask) -> tuple[float, float]:
    """Wall and the server's CPU time of an answer, in ms."""
    cpu, begun = server.processes.cpu_seconds(), time.perf_counter()
    ask()
    wall = time.perf_counter() - begun
    return 1000 * wall, 1000 * (server.processes.cpu_seconds() - cpu)


def _seed(server: Server, runs: int) -> str:
    made = httpx.post(f"{server.url}/api/2.0/mlflow/experiments/create", json={"name": NAME}, timeout=60).json()
    experiment = str(made["experiment_id"])
    seed_runs(server, experiment, Sweep(runs))
    logbuch.set_tracking_uri(server.url)
    client = logbuch.LogbuchClient()
    for number in range(GOING):
        run_id = client.create_run(experiment, run_name=f"going-{number}").info.run_id
        _train(client, run_id, 500)
    long = client.create_run(experiment, run_name="long").info.run_id
    _train(client, long, LONG)
    client.set_terminated(long)
    logbuch.flush()
    server.processes.rest(8)
    return experiment


def _train(client: logbuch.LogbuchClient, run_id: str, points: int) -> None:
    series = generator.series(points, noisy=True)
    for start in range(0, points, 1000):
        steps, times, values = (column[start : start + 1000].tolist() for column in
                                (series.steps, series.timestamps, series.values))  # fmt: skip
        metrics = [
            logbuch.entities.Metric(key=key, value=value, timestamp=moment, step=step)
            for step, moment, value in zip(steps, times, values, strict=True)
            for key in ("train/loss", "eval/loss", "train/grad_norm", "train/tokens_per_second")
        ]
        for part in range(0, len(metrics), 1000):
            client.log_batch(run_id, metrics[part : part + 1000])


def _questions(server: Server, experiment: str) -> dict[str, Ask]:
    logbuch.set_tracking_uri(server.url)
    client = logbuch.LogbuchClient()
    finished = "attributes.status = 'FINISHED'"
    pair = [run.info.run_id for run in client.search_runs([experiment], finished, max_results=2)]
    long = client.search_runs([experiment], "attributes.run_name = 'long'", max_results=1)[0].info.run_id
    lookers: dict[str, Looker] = {}

    def get(path: str, **params: Any) -> Ask:
        return lambda: _whole(httpx.get(server.url + NATIVE + path, params=params, timeout=120))

    def post(path: str, **body: Any) -> Ask:
        return lambda: _whole(httpx.post(server.url + NATIVE + path, json=body, timeout=120))

    best = get("/experiments/best", experiment_id=experiment)
    why = post("/experiments/importance", experiment_id=experiment)
    top_of_table = post(
        "/runs/table",
        experiment_ids=[experiment],
        order_by=["metrics.`eval/loss` ASC"],
        columns=["metrics.eval/loss", "metrics.train/loss", "params.lr", *(f"params.p{key}" for key in range(1, 20))],
        max_results=200,
    )
    unstable = post(
        "/runs/table",
        experiment_ids=[experiment],
        filter="tags.`logbuch.stability` IN ('diverged', 'unstable')",
        max_results=1,
    )
    check = get("/runs/stability", run_id=long)

    def panel() -> None:
        with ThreadPoolExecutor(5) as threads:
            for done in [threads.submit(ask) for ask in (best, why, top_of_table, unstable, check)]:
                done.result()

    def look() -> None:
        lookers.setdefault(server.url, Looker(connection=connect())).look()

    return {
        "best": best,
        "best, by the best value": get("/experiments/best", experiment_id=experiment, reading="best"),
        "best, by the moving average": get("/experiments/best", experiment_id=experiment, reading="smoothed"),
        "importance": why,
        "panel": panel,
        "diff of two runs": lambda: logbuch.diff_runs(pair),
        "check of 200,000 points": check,
        "cost, by month": get("/cost", experiment_id=experiment, by="month"),
        "cost of everything": get("/cost"),
        "top": look,
    }


def _whole(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise RuntimeError(answer.text)


if __name__ == "__main__":
    sys.exit(main())
