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


seen = {"experiments": {}, "runs": {}}
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
        }
print("SEEN " + json.dumps(seen))
