"""Metrics: exact values, the history, its pages, what counts as latest, logging without waiting."""

from __future__ import annotations

import math
import sys
import threading

import mlflow
from common import bits, failure, tell
from mlflow.entities import Metric

mlflow.set_experiment(sys.argv[1])
client = mlflow.MlflowClient()
seen = {}
NEW = int(mlflow.__version__.split(".")[0]) >= 3

EXACT = [
    math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, -5e-324, 2.225073858507201e-308, 1.7976931348623157e308,
    0.1 + 0.2, 1 / 3, -1e-7, 123456789.123456789, 2.0**53 + 2, 1, True, 10**15,
]  # fmt: skip
# Value, timestamp, step; the fourth comes twice.
ORDER = [(1, 5, 5), (2, 4, 5), (3, 1, 2), (9, 5, 5), (4, 9, 0), (5, 5, 5), (9, 5, 5), (7, 1, -3)]


def history(run_id: str, key: str) -> list[list[object]]:
    return [[point.step, point.timestamp, bits(point.value)] for point in client.get_metric_history(run_id, key)]


# -- exact values ----------------------------------------------------------------------------------------------------
with mlflow.start_run() as exact:
    for step, value in enumerate(EXACT):
        mlflow.log_metric("exact", value, step=step, timestamp=step + 1)
    mlflow.log_metrics({"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}, step=4)
seen["run"] = exact.info.run_id
seen["sent"] = [bits(float(value)) for value in EXACT]
seen["exact"] = history(exact.info.run_id, "exact")
seen["batch"] = {key: history(exact.info.run_id, key)[0][2] for key in ("nan", "inf", "-inf", "-0")}
latest = client.get_run(exact.info.run_id).data.metrics
seen["latest"] = {key: bits(latest[key]) for key in ("nan", "inf", "-inf", "-0")}
seen["unknown_key"] = history(exact.info.run_id, "nothing")

# -- latest: the highest (step, timestamp, value), whatever came last ------------------------------------------------
with mlflow.start_run() as order:
    for value, timestamp, step in ORDER:
        mlflow.log_metric("m", value, step=step, timestamp=timestamp)
    mlflow.log_metric("default step", 1)
    mlflow.log_metric("default step", 2)
    for step in (3, 1, 2):
        mlflow.log_metric("back and forth", step * 10, step=step)
seen["order"] = {key: repr(value) for key, value in client.get_run(order.info.run_id).data.metrics.items()}
seen["order_points"] = history(order.info.run_id, "m")
seen["default_steps"] = [point.step for point in client.get_metric_history(order.info.run_id, "default step")]

# -- a long history: more than one page of 25,000 --------------------------------------------------------------------
POINTS, BATCH = 26_000, 1000
long = client.create_run(exact.info.experiment_id).info.run_id
for start in range(0, POINTS, BATCH):
    client.log_batch(long, [Metric("long", step / 7, 1000 + step, step) for step in range(start, start + BATCH)])
points = client.get_metric_history(long, "long")
seen["long_run"] = long
seen["long"] = len(points)
seen["long_in_order"] = [point.step for point in points] == list(range(POINTS))
seen["long_values"] = all(point.value == point.step / 7 and point.timestamp == 1000 + point.step for point in points)

# -- without waiting -------------------------------------------------------------------------------------------------
with mlflow.start_run() as later:
    futures = [mlflow.log_metric("later", step, step=step, synchronous=False) for step in range(200)]
    mlflow.log_metrics({"many": 1.0, "more": 2.0}, step=1, synchronous=False)
    mlflow.log_param("p", 1, synchronous=False)
    mlflow.log_params({"q": 2, "r": 3}, synchronous=False)
    mlflow.set_tag("t", "v", synchronous=False)
    mlflow.set_tags({"u": "w"}, synchronous=False)
    futures[-1].wait()
    mlflow.flush_async_logging()
found = client.get_run(later.info.run_id)
seen["later"] = sorted(point.step for point in client.get_metric_history(later.info.run_id, "later"))
seen["later_rest"] = [found.data.metrics["many"], found.data.params, {key: found.data.tags[key] for key in ("t", "u")}]

# -- several threads at once -----------------------------------------------------------------------------------------
crowd = client.create_run(exact.info.experiment_id).info.run_id


def write(worker: int) -> None:
    for step in range(50):
        client.log_metric(crowd, f"worker {worker}", step + worker / 10, step=step)


threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seen["crowd"] = [len(client.get_metric_history(crowd, f"worker {worker}")) for worker in range(4)]

# -- the arguments that 3.x added ------------------------------------------------------------------------------------
if NEW:
    import pandas

    dataset = mlflow.data.from_pandas(pandas.DataFrame({"x": [1, 2]}), name="held out")
    with mlflow.start_run() as new:
        mlflow.log_metric("to another run", 1.0, step=1, run_id=crowd)
        mlflow.log_metric("on data", 2.0, step=1, dataset=dataset)
        mlflow.log_metrics({"both": 3.0}, step=1, dataset=dataset, timestamp=55)
    found = client.get_run(new.info.run_id)
    seen["new"] = {
        "other": client.get_run(crowd).data.metrics["to another run"],
        "metrics": found.data.metrics,
        "datasets": [used.dataset.name for used in found.inputs.dataset_inputs],
    }

# -- limits ----------------------------------------------------------------------------------------------------------
full = client.create_run(exact.info.experiment_id).info.run_id
# The client splits what is too much for one request.
client.log_batch(full, [Metric(f"wide/{number:04}", number, 1, 1) for number in range(1001)])
seen["wide"] = len(client.get_run(full).data.metrics)
seen["refused"] = {
    "bad key": failure(client.log_metric, full, "a$b", 1.0),
    "path key": failure(client.log_metric, full, "../a", 1.0),
    "long key": failure(client.log_metric, full, "k" * 251, 1.0),
}
tell(seen)
