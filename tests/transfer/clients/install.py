"""Makes an MLflow installation with MLflow's own client: python install.py URI ARTIFACT_ROOT RUNS POINTS.

RUNS runs of POINTS points each are made in one experiment, besides those that have something of every kind.
"""

import math
import sys
from pathlib import Path

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking import MlflowClient

uri, root = sys.argv[1], Path(sys.argv[2])
mlflow.set_tracking_uri(uri)
client = MlflowClient(uri)
files = root / "files"
(files / "deep" / "er").mkdir(parents=True)
(files / "plot.txt").write_text("a plot")
(files / "deep" / "er" / "ünï.bin").write_bytes(bytes(range(256)))

vision = client.create_experiment(
    "vision", f"{root.as_uri()}/vision", tags={"team": "α", "mlflow.note.content": "# why"}
)
old = client.create_experiment("old ones", f"{root.as_uri()}/old")
START = 1_700_000_000_000


def points(key, values):
    return [Metric(key, value, START + 10 * place, place) for place, value in enumerate(values)]


def finished(experiment, name, status="FINISHED", **tags):
    run = client.create_run(experiment, START, tags, name)
    client.set_terminated(run.info.run_id, status, START + 5000)
    return run.info.run_id


best = client.create_run(vision, START, {"phase": "train", "mlflow.user": "ada"}, "best")
metrics = points("loss", [1 / (1 + step) for step in range(500)])
metrics += points("val/acc", [0.1, math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e308])
metrics += [Metric("late", 2.0, START + 9, 5), Metric("late", 1.0, START + 8, 5), Metric("late", 3.0, START + 9, 2)]
metrics += [Metric("below", -7.5, START - 5, -3)]
for start in range(0, len(metrics), 400):
    client.log_batch(best.info.run_id, metrics[start : start + 400])
client.log_batch(
    best.info.run_id,
    params=[Param("lr", "0.1"), Param("net/depth", "12"), Param("long", "x" * 450), Param("odd", "ß 漢 🙂")],
)
client.log_batch(best.info.run_id, tags=[RunTag("mlflow.note.content", "the *best*"), RunTag("empty", "")])
data = Dataset("digits", "abc123", "local", '{"path": "/data"}', '{"columns": 3}', '{"rows": 9}')
client.log_inputs(best.info.run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "training")])])
client.log_artifacts(best.info.run_id, str(files))
client.set_terminated(best.info.run_id, "FINISHED", START + 60_000)

child = client.create_run(vision, START + 1, {"mlflow.parentRunId": best.info.run_id}, "child")
client.log_metric(child.info.run_id, "loss", 0.25, START + 2, 1)  # still running
second = finished(vision, "other", "FAILED")
client.log_inputs(second, [DatasetInput(data, [InputTag("mlflow.data.context", "eval")])])
finished(vision, "stopped", "KILLED")
gone = finished(vision, "gone")
client.log_metric(gone, "loss", 9.0, START, 0)
client.delete_run(gone)
client.log_param(finished(old, "left"), "lr", "1")
client.delete_experiment(old)
for place in range(int(sys.argv[3])):
    run = client.create_run("0", START + place, {}, f"many {place}")
    many = points("loss", [place + step / 8 for step in range(int(sys.argv[4]))])
    client.log_batch(run.info.run_id, params=[Param("place", str(place))])
    for start in range(0, len(many), 1000):
        client.log_batch(run.info.run_id, many[start : start + 1000])
    client.set_terminated(run.info.run_id, "FINISHED", START + 100 + place)

registered = client.create_registered_model("digits", {"task": "ocr"}, "reads digits")
place = client.get_run(best.info.run_id).info.artifact_uri
client.create_model_version("digits", f"runs:/{best.info.run_id}/deep", best.info.run_id, {"ok": "yes"}, None, "first")
client.create_model_version("digits", f"{place}/deep", best.info.run_id)
client.create_model_version("digits", f"{place}/deep/er", best.info.run_id)
client.delete_model_version("digits", "2")
client.set_registered_model_alias("digits", "champion", "3")
client.transition_model_version_stage("digits", "1", "Production")
client.create_registered_model("no versions")
if hasattr(client, "create_logged_model"):
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

    net = client.create_logged_model(vision, "net", best.info.run_id, {"kind": "cnn"}, {"depth": "12"}, "classifier")
    client.log_model_artifacts(net.model_id, str(files))
    client.finalize_logged_model(net.model_id, "READY")
    more = {"model_id": net.model_id, "dataset_name": "digits", "dataset_digest": "abc123"}
    client.log_metric(child.info.run_id, "acc", 0.75, START + 3, 3, **more)
    client.log_outputs(best.info.run_id, [LoggedModelOutput(net.model_id, 7)])
    client.log_inputs(child.info.run_id, [], [LoggedModelInput(net.model_id)])
    client.delete_logged_model(client.create_logged_model(vision, "gone", best.info.run_id).model_id)
    client.create_model_version("digits", net.model_uri, best.info.run_id, model_id=net.model_id)
print("MADE", best.info.run_id)
