"""Searching runs: filters, orders, pages, and the DataFrame."""

from __future__ import annotations

import math
import sys

import mlflow
from common import failure, tell
from mlflow.entities import Metric, Param, RunTag, ViewType

NAME = sys.argv[1]
experiment_id = mlflow.set_experiment(NAME).experiment_id
other_id = mlflow.create_experiment(f"{NAME} other")
client = mlflow.MlflowClient()
RATES = ["0.1", "0.01", "1e-3"]
LOSSES = [math.nan, math.inf, -math.inf, 1.5, 0.5, -2.0, 0.0, 1e10]
ids = []
for number, loss in enumerate(LOSSES):
    id_ = client.create_run(experiment_id, start_time=100 + number, run_name=f"run-{number}").info.run_id
    client.log_batch(
        id_,
        [Metric("loss", loss, 1, 0)] + [Metric("val/loss", number / 4, 1, 0)] * (number % 2),
        [Param("lr", RATES[number % 3]), Param("n", str(number))] + [Param("opt imizer", "Adam")] * (number < 3),
        [RunTag("phase", "AbC"[number % 3]), RunTag("odd tag", f"v{number}")],
    )
    ids.append(id_)
client.set_terminated(ids[3], end_time=500)
client.set_terminated(ids[4], status="FAILED", end_time=400)
client.delete_run(ids[7])
client.log_metric(client.create_run(other_id, start_time=50, run_name=f"{NAME} other").info.run_id, "loss", 7.0)


def names(filter_string: str = "", order_by: list[str] | None = None, **more: object) -> str:
    found = client.search_runs([experiment_id], filter_string, order_by=order_by or ["attributes.run_name"], **more)
    return "".join(noun.info.run_name.removeprefix("run-") for noun in found)


FILTERS = [
    "",
    "metrics.loss < 2.0",
    "metrics.loss >= 0",
    "metrics.loss = 0.5",
    "metrics.loss != 0.5",
    "metrics.`val/loss` < 1.0",
    'metrics."val/loss" > 0.3',
    "params.lr = '0.1'",
    "params.lr != '0.1'",
    "params.lr LIKE '0.%'",
    "params.lr ILIKE '1E%'",
    "params.`opt imizer` IS NULL",
    "params.`opt imizer` IS NOT NULL",
    "tags.phase = 'A'",
    "tags.`odd tag` LIKE 'v%'",
    "tags.phase ILIKE 'a'",
    "tags.nobody IS NULL",
    "attributes.status = 'FINISHED'",
    "status != 'RUNNING'",
    "attributes.run_name LIKE 'run-%'",
    "run_name = 'run-1'",
    "start_time > 103",
    "attributes.end_time < 450",
    "metrics.loss > -3 AND params.lr = '0.01' and tags.phase != 'A'",
    "tags.mlflow.runName = 'run-2'",
    "metrics.nobody > 0",
]
ORDERS = [
    "metrics.loss",
    "metrics.loss DESC",
    "metrics.`val/loss` DESC",
    "params.n DESC",
    "params.`opt imizer`",
    "tags.`odd tag` DESC",
    "start_time",
    "attributes.start_time DESC",
    "end_time",
    "attributes.run_name DESC",
    "status",
]
seen = {
    "filters": {text: names(text) for text in FILTERS},
    "orders": {text: names("", [text] if "run_name" in text else [text, "run_name"]) for text in ORDERS},
    "by_id": names(f"attributes.run_id IN ('{ids[1]}', '{ids[2]}')"),
    "not_by_id": names(f"run_id NOT IN ('{ids[1]}', '{ids[2]}')"),
    "deleted": names(run_view_type=ViewType.DELETED_ONLY),
    "all": names(run_view_type=ViewType.ALL),
    "default_order": "".join(noun.info.run_name[-1] for noun in client.search_runs([experiment_id])),
    "limit": names(max_results=2),
    "no_experiments": len(client.search_runs([])),
    "unknown_experiment": len(client.search_runs(["987654"])),
    "both": len(client.search_runs([experiment_id, other_id])),
}

pages, token = [], None
while True:
    page = client.search_runs([experiment_id], order_by=["attributes.run_name"], max_results=3, page_token=token)
    pages.append([noun.info.run_name for noun in page])
    token = page.token
    if not token:
        break
seen["pages"] = pages

# The fluent call fetches pages of its own, of 10,000 runs unless told otherwise.
mlflow.tracking.fluent.NUM_RUNS_PER_PAGE_PANDAS = 3
frame = mlflow.search_runs(order_by=["attributes.run_name"])
seen["frame"] = {
    "shape": list(frame.shape),
    "names": list(frame["tags.mlflow.runName"]),
    "columns": sorted(frame.columns),
    "nan_loss": bool(math.isnan(frame["metrics.loss"][0])),
    "infinite": [repr(float(value)) for value in frame["metrics.loss"][1:3]],
    "missing_param": bool(frame["params.opt imizer"].isna()[5]),
    "dtypes": {key: str(frame[key].dtype) for key in ("metrics.loss", "start_time")},
}
seen["five"] = len(mlflow.search_runs([experiment_id, other_id], max_results=5))
seen["list"] = sorted(noun.info.run_name for noun in mlflow.search_runs([experiment_id], output_format="list"))
seen["empty_frame"] = list(mlflow.search_runs([experiment_id], "metrics.loss > 1e300 AND params.n = '3'").shape)
everywhere = mlflow.search_runs(search_all_experiments=True, filter_string=f"attributes.run_name = '{NAME} other'")
seen["everywhere"] = list(everywhere["experiment_id"]) == [other_id]

# As the Storyteller guide asks for its best runs, key unquoted.
best = mlflow.search_runs(
    experiment_names=[NAME],
    filter_string="metrics.val/loss < 1.0",
    order_by=["metrics.val/loss ASC"],
    max_results=5,
)
seen["guide"] = best[["run_id", "metrics.val/loss", "params.lr"]].values.tolist() == [
    [ids[1], 0.25, "0.01"],
    [ids[3], 0.75, "0.1"],
]
BAD = ["nonsense", "metrics.loss > 'x'", "params.n = 3", "foo.bar = 'x'", "attributes.nobody = 'x'", "params.n = 3"]
seen["refused"] = {text: failure(client.search_runs, [experiment_id], text) for text in BAD} | {
    "order": failure(client.search_runs, [experiment_id], order_by=["nonsense"]),
    "limit": failure(client.search_runs, [experiment_id], max_results=50_001),
    "token": failure(client.search_runs, [experiment_id], page_token="nonsense"),
}
tell(seen)
