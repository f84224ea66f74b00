"""The demonstration behind ``make demo``: a tracker, a sweep of real trainings that log to it live, and a winner.

With ``--once`` it ends by itself with exit code 0 after it has read the runs back and named the best one.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

HERE = Path(__file__).parent
EXPERIMENT = "examples/digits"
SWEEP: tuple[dict[str, object], ...] = (
    {"hidden": 0, "learning_rate": 0.1},
    {"hidden": 32, "learning_rate": 0.1},
    {"hidden": 64, "learning_rate": 0.1},
    {"hidden": 64, "learning_rate": 0.1, "seed": 2},
    {"hidden": 64, "learning_rate": 0.01},
    {"hidden": 128, "learning_rate": 0.2},
    {"hidden": 128, "learning_rate": 0.05, "weight_decay": 0.001},
    {"hidden": 256, "learning_rate": 30.0},
)
AT_ONCE = 2
START_SECONDS = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when the runs are in and were read back")
    parser.add_argument("--port", type=int, default=None, help="port of the tracker; 5000 or a free one")
    options = parser.parse_args()
    port = options.port or (5000 if _free(5000) else _any_port())
    server = subprocess.Popen([sys.executable, "-m", "logbuch", "ui", "--port", str(port)])
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, server)
        print(f"\n  Open {url} and watch {len(SWEEP)} trainings arrive.\n", flush=True)
        begun = time.time_ns() // 1_000_000
        _train_all(url)
        _report(url, begun)
        if not options.once:
            print(f"\n  The tracker goes on at {url} until Ctrl-C.", flush=True)
            server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
        server.wait(60)
    return 0


def _train_all(url: str) -> None:
    """Runs the sweep, two trainings at a time."""
    environment = os.environ | {"LOGBUCH_TRACKING_URI": url}
    waiting, running = list(SWEEP), []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            flags = [f"--{name}={value}" for name, value in waiting.pop(0).items()]
            command = [sys.executable, str(HERE / "train_digits.py"), f"--experiment={EXPERIMENT}", *flags]
            running.append(subprocess.Popen(command, env=environment))
        time.sleep(0.1)
        failed = [process for process in running if process.poll() not in (None, 0)]
        if failed:
            raise SystemExit(f"a training ended with code {failed[0].returncode}")
        running = [process for process in running if process.poll() is None]


def _report(url: str, begun: int) -> None:
    """Reads the runs back through the API, as any client would, and names the best one."""
    api = f"{url}/api/2.0/mlflow"
    found = httpx.get(f"{api}/experiments/get-by-name", params={"experiment_name": EXPERIMENT})
    experiment_id = found.raise_for_status().json()["experiment"]["experiment_id"]
    query = {
        "experiment_ids": [experiment_id],
        "filter": f"attributes.start_time >= {begun} AND attributes.status = 'FINISHED'",
        "order_by": ["metrics.eval/loss ASC"],
    }
    runs = httpx.post(f"{api}/runs/search", json=query).raise_for_status().json().get("runs", [])
    if len(runs) != len(SWEEP):
        raise SystemExit(f"{len(SWEEP)} runs were trained, and {len(runs)} came back")
    print(f"  {'run':<14}{'eval/loss':>10}{'accuracy':>10}   run ID")
    for run in runs:
        metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
        info = run["info"]
        loss, accuracy = float(metrics["eval/loss"]), float(metrics["eval/accuracy"])
        print(f"  {info['run_name']:<14}{loss:>10.4f}{accuracy:>10.4f}   {info['run_id']}")
        _check_points(api, info["run_id"])
    best = runs[0]["info"]
    print(f"\n  Best run: {best['run_name']}  {url}/e/{experiment_id}/runs/{best['run_id']}", flush=True)


def _check_points(api: str, run_id: str) -> None:
    """Every step of every run must have come back."""
    query = {"run_id": run_id, "metric_key": "train/loss"}
    points = httpx.get(f"{api}/metrics/get-history", params=query).raise_for_status().json()["metrics"]
    if [point["step"] for point in points] != list(range(len(points))) or len(points) < 100:
        raise SystemExit(f"points of run {run_id} are missing")


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit("the tracker did not start")
        try:
            httpx.get(f"{url}/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the tracker does not answer")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
