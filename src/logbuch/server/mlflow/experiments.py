"""experiments/*"""

from __future__ import annotations

from typing import Any

from logbuch.errors import InvalidInput
from logbuch.model import Tag
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import experiments, inputs, search
from logbuch.wire import mlflow as wire

DATASET_EXPERIMENTS = 20


async def create(context: Context, request: wire.CreateExperiment) -> Any:
    location = context.files.location(request.artifact_location)
    id_ = await context.write(experiments.create, request.name, location, wire.nouns(request.tags))
    return {"experiment_id": id_}


async def get(context: Context, request: wire.OfExperiment) -> Any:
    return {"experiment": wire.experiment(await context.read(experiments.get, request.experiment_id))}


async def get_by_name(context: Context, request: wire.ExperimentByName) -> Any:
    return {"experiment": wire.experiment(await context.read(experiments.get_by_name, request.experiment_name))}


async def find(context: Context, request: wire.SearchExperiments) -> Any:
    found, token = await context.read(
        search.experiments,
        request.filter,
        request.order_by,
        request.max_results,
        request.page_token,
        request.view_type,
    )
    return wire.present({"experiments": [wire.experiment(noun) for noun in found], "next_page_token": token})


async def update(context: Context, request: wire.UpdateExperiment) -> Any:
    await context.write(experiments.rename, request.experiment_id, request.new_name)
    return {}


async def delete(context: Context, request: wire.OfExperiment) -> Any:
    await context.write(experiments.delete_experiment, request.experiment_id)
    return {}


async def restore(context: Context, request: wire.OfExperiment) -> Any:
    await context.write(experiments.restore, request.experiment_id)
    return {}


async def set_tag(context: Context, request: wire.SetExperimentTag) -> Any:
    await context.write(experiments.set_tag, request.experiment_id, Tag(key=request.key, value=request.value))
    return {}


async def delete_tag(context: Context, request: wire.DeleteExperimentTag) -> Any:
    await context.write(experiments.delete_tag, request.experiment_id, request.key)
    return {}


async def search_datasets(context: Context, request: wire.SearchDatasets) -> Any:
    count = len(request.experiment_ids)
    if not 1 <= count <= DATASET_EXPERIMENTS:
        raise InvalidInput(f"'experiment_ids' must name 1 to {DATASET_EXPERIMENTS} experiments. Received {count}.")
    found = await context.read(inputs.summaries, request.experiment_ids)
    return wire.present({"dataset_summaries": [wire.dataset_summary(noun) for noun in found]})


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("POST", "/experiments/create", wire.CreateExperiment, _WRITE, create, "Create an experiment"),
    Route("GET", "/experiments/get", wire.OfExperiment, _READ, get, "Get an experiment by ID"),
    Route("GET", "/experiments/get-by-name", wire.ExperimentByName, _READ, get_by_name, "Get an experiment by name"),
    Route("POST", "/experiments/search", wire.SearchExperiments, _READ, find, "Search experiments"),
    Route("GET", "/experiments/search", wire.SearchExperiments, _READ, find, "Search experiments"),
    Route("POST", "/experiments/update", wire.UpdateExperiment, _WRITE, update, "Rename an experiment"),
    Route("POST", "/experiments/delete", wire.OfExperiment, _WRITE, delete, "Mark an experiment as deleted"),
    Route("POST", "/experiments/restore", wire.OfExperiment, _WRITE, restore, "Restore a deleted experiment"),
    Route("POST", "/experiments/set-experiment-tag", wire.SetExperimentTag, _WRITE, set_tag, "Set a tag"),
    Route("POST", "/experiments/delete-experiment-tag", wire.DeleteExperimentTag, _WRITE, delete_tag, "Delete a tag"),
    Route("POST", "/experiments/search-datasets", wire.SearchDatasets, _READ, search_datasets, "List data sets"),
)
