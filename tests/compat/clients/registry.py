"""The seeds' registry section, and everything else that a client does with registered models."""

from __future__ import annotations

import sys

import mlflow
from common import failure, tell
from mlflow import MlflowClient

PREFIX = sys.argv[1]
MAJOR = int(mlflow.__version__.split(".")[0])
client = MlflowClient()
seen = {}


def version(noun):
    return {
        "name": noun.name,
        "version": str(noun.version),
        "stage": noun.current_stage,
        "aliases": list(noun.aliases),
        "tags": dict(noun.tags),
        "run": noun.run_id,
        "source": noun.source,
        "description": noun.description,
        "status": noun.status,
    }


class Doubled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [value * 2 for value in model_input["x"]]


NAME = f"{PREFIX} storyteller-production"
mlflow.set_experiment(f"{PREFIX} registry")
with mlflow.start_run() as run:
    named = {"name": "model"} if MAJOR >= 3 else {"artifact_path": "model"}
    logged = mlflow.pyfunc.log_model(python_model=Doubled(), pip_requirements=[], **named)
RUN_ID = run.info.run_id
seen["run"] = RUN_ID

# As the seeds register a model.
client.create_registered_model(NAME)
result = mlflow.register_model(f"runs:/{RUN_ID}/model", NAME)
seen["registered"] = version(result)
seen["again"] = version(mlflow.register_model(f"runs:/{RUN_ID}/model", NAME))
seen["new_name"] = version(mlflow.register_model(f"runs:/{RUN_ID}/model", f"{PREFIX} by itself"))

client.set_registered_model_alias(NAME, "champion", "2")
client.transition_model_version_stage(NAME, "1", "Staging")
client.transition_model_version_stage(NAME, "1", "Production", archive_existing_versions=True)
client.transition_model_version_stage(NAME, "2", "Production", archive_existing_versions=True)
client.set_model_version_tag(NAME, "1", "quality", "good")
client.set_registered_model_tag(NAME, "team", "a")
client.update_model_version(NAME, "1", "first")
client.update_registered_model(NAME, "the model that serves")
model = client.get_registered_model(NAME)
seen["model"] = {
    "description": model.description,
    "tags": dict(model.tags),
    "aliases": {alias: str(number) for alias, number in model.aliases.items()},
    "latest": {one.current_stage: str(one.version) for one in model.latest_versions},
}
seen["first"] = version(client.get_model_version(NAME, "1"))
seen["champion"] = version(client.get_model_version_by_alias(NAME, "champion"))
seen["latest_production"] = [str(one.version) for one in client.get_latest_versions(NAME, ["Production"])]
seen["copied"] = version(client.copy_model_version(f"models:/{NAME}@champion", f"{PREFIX} copy"))
seen["uri_ends"] = client.get_model_version_download_uri(NAME, "1").rpartition("/")[2]

seen["predictions"] = {}
frame = {"x": [1, 2]}
for uri in (
    f"models:/{NAME}/1",
    f"models:/{NAME}@champion",
    f"models:/{NAME}/Production",
    f"models:/{NAME}/latest",
    f"models:/{PREFIX} copy/1",
    f"runs:/{RUN_ID}/model",
    logged.model_uri,
):
    loaded = mlflow.pyfunc.load_model(uri)
    import pandas

    seen["predictions"][uri] = list(loaded.predict(pandas.DataFrame(frame)))

mine = f"name LIKE '{PREFIX}%'"
seen["models"] = [one.name for one in client.search_registered_models(mine)]
seen["models_back"] = [one.name for one in client.search_registered_models(mine, order_by=["name DESC"], max_results=2)]
pages, token = [], None
while True:
    page = client.search_registered_models(mine, max_results=2, page_token=token)
    pages.append(len(page))
    token = page.token
    if not token:
        break
seen["pages"] = pages
seen["versions"] = sorted(str(one.version) for one in client.search_model_versions(f"name = '{NAME}'"))
seen["of_run"] = len(client.search_model_versions(f"run_id = '{RUN_ID}'"))
seen["fluent"] = len(mlflow.search_registered_models(filter_string=mine))

seen["errors"] = {
    "taken": failure(client.create_registered_model, NAME),
    "nobody": failure(client.get_registered_model, "nobody"),
    "no_version": failure(client.get_model_version, NAME, "77"),
    "no_alias": failure(client.get_model_version_by_alias, NAME, "nobody"),
    "bad_alias": failure(client.set_registered_model_alias, NAME, "v1", "1"),
    "bad_stage": failure(client.transition_model_version_stage, NAME, "1", "dev"),
    "bad_name": failure(client.create_registered_model, "a/b"),
    "bad_source": failure(client.create_model_version, NAME, "file:///etc/passwd"),
    "bad_filter": failure(client.search_registered_models, "nonsense = 'x'"),
}

client.delete_registered_model_alias(NAME, "champion")
client.delete_model_version_tag(NAME, "1", "quality")
client.delete_registered_model_tag(NAME, "team")
client.delete_model_version(NAME, "2")
seen["third"] = str(mlflow.register_model(f"runs:/{RUN_ID}/model", NAME).version)
client.rename_registered_model(NAME, f"{NAME} renamed")
seen["renamed"] = sorted(str(one.version) for one in client.search_model_versions(f"name = '{NAME} renamed'"))
client.delete_registered_model(f"{NAME} renamed")
seen["deleted"] = failure(client.get_registered_model, f"{NAME} renamed")
tell(seen)
