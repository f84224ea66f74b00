"""What is measured of every tracker. Each figure is verified: what was acknowledged must have come back."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import httpx
import msgspec

from benchmarks.load import post_all
from benchmarks.trackers import Tracker

CONNECTIONS = 32
BATCH = 1000
encode = msgspec.json.encode
Figures = dict[str, float]


def measure(tracker: Tracker, *, points: int, batches: int, runs: int) -> Figures:
    """All figures of one tracker; times in seconds, sizes in bytes."""
    figures = {"start, s": tracker.ready_seconds, "idle memory, MB": tracker.resident_bytes() / 2**20}
    figures |= _log_metric(tracker, points)
    figures |= _log_batch(tracker, batches)
    figures |= _search(tracker, runs)
    return figures


def _log_metric(tracker: Tracker, count: int) -> Figures:
    run_id = _new_run(tracker, "0")
    bodies = [
        encode({"run_id": run_id, "key": "loss", "value": step / 7, "timestamp": step, "step": step})
        for step in range(count)
    ]
    spent, cpu = _timed(tracker, lambda: post_all(_address(tracker, "runs/log-metric"), bodies, CONNECTIONS))
    _verify(tracker, run_id, "loss", count)
    return {"log-metric, requests/s": count / spent, "log-metric, requests/CPU-s": count / cpu}


def _log_batch(tracker: Tracker, count: int) -> Figures:
    run_id = _new_run(tracker, "0")
    before = tracker.disk_bytes()
    bodies = [
        encode({"run_id": run_id, "metrics": [_point(batch, index) for index in range(BATCH)]})
        for batch in range(count)
    ]
    spent, cpu = _timed(tracker, lambda: post_all(_address(tracker, "runs/log-batch"), bodies, 1))
    _verify(tracker, run_id, "m0", count * BATCH // 20)
    points = count * BATCH
    return {
        "log-batch, points/s": points / spent,
        "log-batch, points/CPU-s": points / cpu,
        "log-batch, bytes/point (with WAL)": (tracker.disk_bytes() - before) / points,
    }


def _point(batch: int, index: int) -> dict[str, object]:
    step = batch * 50 + index // 20
    return {"key": f"m{index % 20}", "value": step / 7, "timestamp": step, "step": step}


def _search(tracker: Tracker, count: int) -> Figures:
    answer = httpx.post(_address(tracker, "experiments/create"), json={"name": "searched"}, timeout=60)
    experiment = answer.raise_for_status().json()["experiment_id"]
    for number in range(count):
        run_id = _new_run(tracker, experiment)
        body = {
            "run_id": run_id,
            "metrics": [{"key": f"m{key}", "value": number * key % 97, "timestamp": 1} for key in range(10)],
            "params": [{"key": f"p{key}", "value": str(number % (key + 2))} for key in range(10)],
        }
        httpx.post(_address(tracker, "runs/log-batch"), json=body, timeout=60).raise_for_status()
    queries = {
        "no filter": {},
        "metric and param": {"filter": "metrics.m1 > 50 AND params.p5 = '3'"},
        "order by metric": {"order_by": ["metrics.m3 ASC"]},
    }
    return {
        f"search {name}, ms": 1000 * _median(lambda query=query: _page(tracker, experiment, query))  # type: ignore[misc]
        for name, query in queries.items()
    }


def _page(tracker: Tracker, experiment: str, query: dict[str, object]) -> None:
    body = {"experiment_ids": [experiment], "max_results": 100, **query}
    assert httpx.post(_address(tracker, "runs/search"), json=body, timeout=300).raise_for_status().json()["runs"]


def _median(call: Callable[[], None], times: int = 7) -> float:
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


def _timed(tracker: Tracker, call: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and the server's CPU seconds, of which what it does soon afterwards in the background is part."""
    cpu, begun = tracker.cpu_seconds(), time.perf_counter()
    call()
    spent = time.perf_counter() - begun
    time.sleep(1)
    return spent, tracker.cpu_seconds() - cpu


def _verify(tracker: Tracker, run_id: str, key: str, count: int) -> None:
    query = {"run_id": run_id, "metric_key": key}
    found = httpx.get(_address(tracker, "metrics/get-history"), params=query, timeout=300).raise_for_status().json()
    steps = sorted(point["step"] for point in found["metrics"])
    if steps != list(range(count)):
        raise SystemExit(f"{tracker.name} acknowledged {count} points of {key} and returned {len(steps)}")


def _new_run(tracker: Tracker, experiment: str) -> str:
    body = {"experiment_id": experiment, "start_time": 1}
    run_id: str = httpx.post(_address(tracker, "runs/create"), json=body, timeout=60).json()["run"]["info"]["run_id"]
    return run_id


def _address(tracker: Tracker, path: str) -> str:
    return f"{tracker.url}/api/2.0/mlflow/{path}"
