"""The life of runs: fluent calls, nesting, resuming, params, tags, deleting, and the same by MlflowClient."""

from __future__ import annotations

import sys
import time

import mlflow
from common import failure, run, tell
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType

experiment_id = mlflow.set_experiment(sys.argv[1]).experiment_id
client = mlflow.MlflowClient()
seen = {"experiment": experiment_id}


def got(run_id: str) -> dict[str, object]:
    return run(mlflow.get_run(run_id))


# -- fluent ----------------------------------------------------------------------------------------------------------
before = time.time() * 1000
TAGS = {"phase": "search", "ключ": "ü😀"}
with mlflow.start_run(run_name="first run", tags=TAGS, description="what it is for") as first:
    seen["active_inside"] = mlflow.active_run().info.run_id == first.info.run_id
    seen["running"] = got(first.info.run_id)
    seen["start_is_now"] = before - 1000 <= first.info.start_time <= time.time() * 1000 + 1000
    mlflow.log_param("lr", 0.1)
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"layers/0": [1, 2], "none": None, "flag": True, "text": "a\nb", "empty": "", "ключ": "ü"})
    seen["changed_param"] = failure(mlflow.log_param, "lr", 0.2)
    seen["changed_params"] = failure(mlflow.log_params, {"other": 1, "lr": 0.3})
    mlflow.set_tag("one", 1)
    mlflow.set_tags({"two": 2.5, "three": None, "gone": "x", "one": "again"})
    mlflow.delete_tag("gone")
    seen["delete_missing_tag"] = failure(mlflow.delete_tag, "gone")
    mlflow.log_metric("loss", 1.5)
    mlflow.log_metrics({"a": 1, "b/c": 2.0}, step=3)
seen["active_outside"] = mlflow.active_run() is None
seen["last"] = mlflow.last_active_run().info.run_id == first.info.run_id
seen["finished"] = got(first.info.run_id)

with mlflow.start_run(run_id=first.info.run_id) as resumed:
    seen["resumed"] = got(resumed.info.run_id)
    mlflow.log_metric("loss", 0.5, step=1)
seen["finished_again"] = got(first.info.run_id)

with mlflow.start_run(run_name="parent") as parent:
    with mlflow.start_run(run_name="child", nested=True) as child:
        with mlflow.start_run(nested=True) as grandchild:
            pass
        seen["back_in_child"] = mlflow.active_run().info.run_id == child.info.run_id
    with mlflow.start_run(run_name="second child", nested=True, parent_run_id=parent.info.run_id):
        pass
    seen["not_nested"] = failure(mlflow.start_run)
family = {"parent": parent, "child": child, "grand": grandchild}
seen["family"] = {name: got(noun.info.run_id) for name, noun in family.items()}
children = client.search_runs([experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
seen["children"] = sorted(found.info.run_name for found in children)

try:
    with mlflow.start_run(run_name="broken") as broken:
        raise KeyError("training fell over")
except KeyError:
    pass
seen["broken"] = got(broken.info.run_id)
killed = mlflow.start_run(run_name="killed")
mlflow.end_run("KILLED")
seen["killed"] = got(killed.info.run_id)
mlflow.end_run()
implicit = mlflow.active_run()
mlflow.log_param("implicit", "run")
seen["implicit"] = implicit is None and mlflow.active_run() is not None
mlflow.end_run()

# -- MlflowClient ----------------------------------------------------------------------------------------------------
made = client.create_run(experiment_id, start_time=1234, tags={"from": "client"}, run_name="by client")
id_ = made.info.run_id
seen["created"] = run(made)
client.log_param(id_, "p", "v")
client.log_metric(id_, "m", 1.25, timestamp=777, step=9)
client.set_tag(id_, "t", "v")
client.log_batch(
    id_,
    metrics=[Metric("bm", 2.0, 5, 1), Metric("bm", 3.0, 6, 2)],
    params=[Param("bp", "bv")],
    tags=[RunTag("bt", "bv"), RunTag("bt", "last wins")],
)
client.delete_tag(id_, "t")
client.update_run(id_, status="SCHEDULED", name="renamed")
seen["updated"] = run(client.get_run(id_))
client.set_tag(id_, "mlflow.runName", "renamed by tag")
seen["renamed_by_tag"] = run(client.get_run(id_))
client.set_terminated(id_, status="FAILED", end_time=5678)
seen["terminated"] = run(client.get_run(id_))
client.log_metric(id_, "after the end", 1.0)
seen["written_after_end"] = "after the end" in client.get_run(id_).data.metrics
if hasattr(client, "get_parent_run"):
    seen["parent_of_child"] = client.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id

client.delete_run(id_)
seen["deleted"] = run(client.get_run(id_))
seen["write_to_deleted"] = {
    "metric": failure(client.log_metric, id_, "m", 1.0),
    "param": failure(client.log_param, id_, "x", 1),
    "tag": failure(client.set_tag, id_, "x", 1),
    "update": failure(client.update_run, id_, name="x"),
    "batch": failure(client.log_batch, id_, [Metric("bm", 2.0, 5, 1)]),
    "resume": failure(mlflow.start_run, run_id=id_),
}
only = client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)
seen["deleted_only"] = [found.info.run_id for found in only] == [id_]
client.restore_run(id_)
seen["restored"] = run(client.get_run(id_))
mlflow.delete_run(id_)
seen["deleted_fluently"] = run(client.get_run(id_))["stage"]
seen["missing"] = {
    "get": failure(client.get_run, "0" * 32),
    "metric": failure(client.log_metric, "0" * 32, "m", 1.0),
    "delete": failure(client.delete_run, "0" * 32),
    "resume": failure(mlflow.start_run, run_id="0" * 32),
}
seen["statuses"] = sorted(RunStatus.all_status())
tell(seen)
