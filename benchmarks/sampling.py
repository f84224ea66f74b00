"""What sampling the machine costs: ``python -m benchmarks.sampling``.

CPU time of a reading, by the process's own clock, and the share of a core that one every ten seconds takes.
"""

from __future__ import annotations

import json
import statistics
import time

from logbuch.model import LifecycleStage, Run, RunInfo, RunStatus
from logbuch.sdk.recording import system_metrics

READINGS = 300
INTERVAL_SECONDS = 10.0


def main() -> None:
    info = RunInfo(
        run_id="r",
        experiment_id="0",
        run_name="",
        user_id="",
        status=RunStatus.RUNNING,
        start_time=0,
        end_time=None,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri="",
    )
    begun = time.process_time()
    sampler = system_metrics.Sampler()
    first = time.process_time() - begun
    points = 0

    def count(metrics: object, step: int) -> None:  # noqa: ARG001
        nonlocal points
        points = len(metrics)  # type: ignore[arg-type]

    system_metrics.set_system_metrics_sampling_interval(1e9)
    monitor = system_metrics.Monitor(Run(info=info), count)
    monitor.begin({}, "")
    costs = []
    for _ in range(READINGS):
        begun = time.process_time()
        monitor.take(sampler.sample(), sampler.counters)
        costs.append(time.process_time() - begun)
    monitor.stop()
    middle = statistics.median(costs)
    found = {
        "values": points,
        "first_ms": round(1000 * first, 2),
        "median_ms": round(1000 * middle, 3),
        "p99_ms": round(1000 * sorted(costs)[int(0.99 * len(costs))], 3),
        "share_of_a_core_percent": round(100 * middle / INTERVAL_SECONDS, 4),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
