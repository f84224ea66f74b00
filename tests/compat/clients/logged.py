"""MLflow 3's logged models: log_model, metrics and params of models, search, and loading them again."""

from __future__ import annotations

import sys

import mlflow
import pandas
from common import failure, tell
from sklearn.linear_model import LinearRegression

PREFIX = sys.argv[1]
client = mlflow.MlflowClient()
seen = {}
experiment = mlflow.set_experiment(f"{PREFIX} logged")
fitted = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
frame = pandas.DataFrame({"x": [1.0, 3.0]})


class Tripled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["x"] * 3


with mlflow.start_run() as run:
    mlflow.log_param("lr", 0.1)
    python = mlflow.pyfunc.log_model(
        name="model", python_model=Tripled(), pip_requirements=[], input_example=frame, params={"depth": 2}
    )
    sklearn = mlflow.sklearn.log_model(fitted, name="linear", input_example=[[1.0]], tags={"kind": "linear"})
    mlflow.log_metric("acc", 0.9, step=1, model_id=sklearn.model_id)
    mlflow.log_metric("acc", 0.4, step=1, model_id=python.model_id)
seen["run"] = run.info.run_id
seen["outputs"] = sorted(output.model_id for output in client.get_run(run.info.run_id).outputs.model_outputs)
seen["ids"] = sorted([python.model_id, sklearn.model_id])


def model(noun):
    return {
        "name": noun.name,
        "status": str(noun.status),
        "params": dict(noun.params),
        "tags": {key: value for key, value in noun.tags.items() if not key.startswith("mlflow.")},
        "run": noun.source_run_id,
        "metrics": [(metric.key, metric.value, metric.step, metric.run_id) for metric in noun.metrics],
    }


seen["python"] = model(mlflow.get_logged_model(python.model_id))
seen["sklearn"] = model(mlflow.get_logged_model(sklearn.model_id))


def found(**query):
    return [
        noun.name for noun in mlflow.search_logged_models([experiment.experiment_id], output_format="list", **query)
    ]


seen["search"] = {
    "all": sorted(found()),
    "name": found(filter_string="name = 'linear'"),
    "metric": found(filter_string="metrics.acc > 0.5"),
    "param": found(filter_string="params.depth = '2'"),
    "ordered": found(order_by=[{"field_name": "metrics.acc", "ascending": False}]),
    "limit": len(found(max_results=1)),
    "bad": failure(found, filter_string="nonsense = 1"),
}
table = mlflow.search_logged_models([experiment.experiment_id])
seen["frame"] = sorted(table["name"])

mlflow.set_logged_model_tags(sklearn.model_id, {"stage": "best"})
mlflow.delete_logged_model_tag(sklearn.model_id, "kind")
seen["tags"] = model(mlflow.get_logged_model(sklearn.model_id))["tags"]

registered = mlflow.register_model(sklearn.model_uri, f"{PREFIX} linear")
seen["registered"] = [str(registered.version), registered.run_id]
again = mlflow.pyfunc.log_model(
    name="model", python_model=Tripled(), pip_requirements=[], registered_model_name=f"{PREFIX} tripled"
)
seen["registered_at_once"] = str(again.registered_model_version)
seen["predictions"] = {
    name: [float(value) for value in mlflow.pyfunc.load_model(uri).predict(frame.to_numpy() if plain else frame)]
    for name, uri, plain in (
        ("python", python.model_uri, False),
        ("run", f"runs:/{run.info.run_id}/model", False),
        ("sklearn", sklearn.model_uri, True),
        ("version", f"models:/{PREFIX} linear/1", True),
        ("at once", f"models:/{PREFIX} tripled/latest", False),
    )
}
seen["native"] = [
    float(value) for value in mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/linear").predict([[2.0]])
]

external = mlflow.create_external_model(name="elsewhere", params={"a": "1"})
seen["external"] = model(external)
pending = mlflow.initialize_logged_model(name="begun")
seen["pending"] = str(pending.status)
seen["finalized"] = str(mlflow.finalize_logged_model(pending.model_id, "FAILED").status)
client.delete_logged_model(pending.model_id)
seen["deleted"] = failure(mlflow.get_logged_model, pending.model_id)
tell(seen)
