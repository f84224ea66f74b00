"""Tells all that MLflow's client sees at a place: python look.py URI."""

import json
import sys
from pathlib import Path

import mlflow
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient(sys.argv[1])


def all_pages(search, **more):
    found, token = [], None
    while True:
        page = search(page_token=token, view_type=ViewType.ALL, **more)
        found += page
        token = page.token
        if not token:
            return found


def files(run_id, path=None):
    for info in client.list_artifacts(run_id, path):
        if info.is_dir:
            yield from files(run_id, info.path)
        else:
            content = Path(client.download_artifacts(run_id, info.path)).read_bytes()
            yield info.path, info.file_size, content.hex()


def dataset(used):
    kept = ("name", "digest", "source_type", "source", "schema", "profile")
    return {name: getattr(used.dataset, name) for name in kept} | {"tags": {tag.key: tag.value for tag in used.tags}}


def runs(experiment):
    token = None
    while True:
        page = client.search_runs([experiment], run_view_type=ViewType.ALL, max_results=500, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def version(one):
    one = client.get_model_version(one.name, one.version)
    kept = (
        "version",
        "current_stage",
        "description",
        "run_id",
        "creation_timestamp",
        "last_updated_timestamp",
        "source",
    )
    found = {name: str(getattr(one, name) or "") for name in kept}
    return found | {"tags": dict(one.tags), "aliases": list(one.aliases)}


def registered(one):
    one = client.get_registered_model(one.name)
    kept = ("description", "creation_timestamp", "last_updated_timestamp")
    versions = client.search_model_versions(f"name = '{one.name}'")
    return {name: getattr(one, name) or "" for name in kept} | {
        "tags": dict(one.tags),
        "aliases": {alias: str(number) for alias, number in one.aliases.items()},
        "versions": sorted((version(each) for each in versions), key=lambda each: int(each["version"])),
    }


def logged(one):
    one = client.get_logged_model(one.model_id)
    folder = Path(mlflow.artifacts.download_artifacts(one.model_uri)) if one.status == "READY" else None
    kept = ("model_id", "name", "model_type", "source_run_id", "creation_timestamp", "last_updated_timestamp", "params")
    points = [
        (p.key, p.step, p.timestamp, repr(p.value), p.run_id, p.dataset_name, p.dataset_digest)
        for p in one.metrics or ()
    ]
    return {name: getattr(one, name) or "" for name in kept} | {
        "status": str(one.status),
        "tags": {key: value for key, value in one.tags.items() if not key.startswith("mlflow.user")},
        "metrics": sorted(points),
        "files": sorted((str(f.relative_to(folder)), f.read_bytes().hex()) for f in folder.rglob("*") if f.is_file())
        if folder
        else [],
    }


seen = {"experiments": {}, "runs": {}, "logged": {}}
seen["models"] = {one.name: registered(one) for one in client.search_registered_models()}
for experiment in all_pages(client.search_experiments):
    seen["experiments"][experiment.name] = {
        "id": experiment.experiment_id,
        "stage": experiment.lifecycle_stage,
        "created": experiment.creation_time,
        "updated": experiment.last_update_time,
        "tags": dict(experiment.tags),
    }
    for run in runs(experiment.experiment_id):
        run = client.get_run(run.info.run_id)
        info = run.info
        seen["runs"][info.run_id] = {
            "experiment": experiment.name,
            "name": info.run_name,
            "user": info.user_id,
            "status": info.status,
            "start": info.start_time,
            "end": info.end_time,
            "stage": info.lifecycle_stage,
            "params": dict(run.data.params),
            "tags": dict(run.data.tags),
            "metrics": {key: repr(value) for key, value in run.data.metrics.items()},
            "history": {
                key: sorted((p.step, p.timestamp, repr(p.value)) for p in client.get_metric_history(info.run_id, key))
                for key in run.data.metrics
            },
            "datasets": sorted((dataset(used) for used in run.inputs.dataset_inputs), key=str),
            "files": sorted(files(info.run_id)),
            "used": sorted(one.model_id for one in getattr(run.inputs, "model_inputs", ())),
            "made": sorted(
                (one.model_id, one.step) for one in getattr(getattr(run, "outputs", None), "model_outputs", ())
            ),
        }
    if hasattr(client, "search_logged_models"):
        for model in client.search_logged_models([experiment.experiment_id]):
            seen["logged"][model.model_id] = logged(model)
print("SEEN " + json.dumps(seen))
