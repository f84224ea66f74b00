"""What rides on tracking: data sets, autologging, system metrics, credentials in the environment, the command line."""

from __future__ import annotations

import os
import sys
import time

import mlflow
import numpy
import pandas
from click.testing import CliRunner
from common import failure, run, tell
from mlflow.cli import cli
from sklearn.linear_model import LogisticRegression

# Logbuch has no login yet; a client that is set up for one must not fail.
os.environ["MLFLOW_TRACKING_USERNAME"] = "someone"
os.environ["MLFLOW_TRACKING_PASSWORD"] = "secret ü"
experiment_id = mlflow.set_experiment(sys.argv[1]).experiment_id
client = mlflow.MlflowClient()
seen = {"experiment": experiment_id}

# -- data sets -------------------------------------------------------------------------------------------------------
frame = pandas.DataFrame({"text": ["a", "ü"], "label": [0, 1]})
data = mlflow.data.from_pandas(frame, source="https://example.org/data.csv", name="reviews", targets="label")
array = mlflow.data.from_numpy(numpy.arange(6).reshape(2, 3), name="array")
with mlflow.start_run() as inputs:
    mlflow.log_input(data, context="training", tags={"split": "80 %"})
    mlflow.log_input(data, context="training")
    mlflow.log_input(array)
found = client.get_run(inputs.info.run_id).inputs.dataset_inputs
seen["inputs"] = sorted(
    [used.dataset.name, used.dataset.digest, {tag.key: tag.value for tag in used.tags}, used.dataset.source_type]
    for used in found
)
seen["digests"] = sorted([data.digest, array.digest])
source = mlflow.data.get_source(next(used.dataset for used in found if used.dataset.name == "reviews"))
seen["source"] = source.url if hasattr(source, "url") else str(source.to_dict())
by_data = client.search_runs([experiment_id], "datasets.name = 'reviews' AND datasets.context = 'training'")
seen["found_by_data"] = [noun.info.run_id for noun in by_data] == [inputs.info.run_id]

# -- autologging -----------------------------------------------------------------------------------------------------
mlflow.sklearn.autolog(log_models=False, silent=True)
with mlflow.start_run() as auto:
    LogisticRegression(C=0.5).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
mlflow.sklearn.autolog(disable=True, silent=True)
seen["auto"] = run(client.get_run(auto.info.run_id))
seen["auto_files"] = sorted(entry.path for entry in client.list_artifacts(auto.info.run_id))

# -- system metrics --------------------------------------------------------------------------------------------------
mlflow.set_system_metrics_sampling_interval(0.2)
mlflow.set_system_metrics_samples_before_logging(1)
CPU, deadline = "system/cpu_utilization_percentage", time.monotonic() + 120
with mlflow.start_run(log_system_metrics=True) as measured:
    while len(client.get_metric_history(measured.info.run_id, CPU)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
metrics = client.get_run(measured.info.run_id).data.metrics
seen["system"] = sorted(metrics)
seen["system_points"] = len(client.get_metric_history(measured.info.run_id, CPU))
with mlflow.start_run(log_system_metrics=False) as unmeasured:
    pass
seen["no_system"] = sorted(client.get_run(unmeasured.info.run_id).data.metrics)


# -- the command line ------------------------------------------------------------------------------------------------
def command(*words: str) -> list[object]:
    done = CliRunner().invoke(cli, words)
    return [done.exit_code, done.output]


OF = ("--experiment-id", experiment_id)
seen["cli"] = {
    "search": command("experiments", "search"),
    "create": command("experiments", "create", "-n", f"{sys.argv[1]} by command"),
    "rename": command(
        "experiments", "rename", "--experiment-id", experiment_id, "--new-name", f"{sys.argv[1]} renamed"
    ),
    "runs": command("runs", "list", *OF),
    "describe": command("runs", "describe", "--run-id", auto.info.run_id),
    "artifacts": command("artifacts", "list", "--run-id", auto.info.run_id),
    "delete": command("runs", "delete", "--run-id", unmeasured.info.run_id),
    "restore": command("runs", "restore", "--run-id", unmeasured.info.run_id),
}
del os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]
os.environ["MLFLOW_TRACKING_TOKEN"] = "token"
seen["token"] = failure(client.get_run, auto.info.run_id)
tell(seen)
