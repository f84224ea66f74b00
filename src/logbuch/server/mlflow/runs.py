"""runs/*"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from logbuch.logged import ModelMetric
from logbuch.model import Param, Tag
from logbuch.server import answers
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import Store, batch, runs, search
from logbuch.store.metrics.incoming import Incoming
from logbuch.wire import mlflow as wire


async def create(context: Context, request: wire.CreateRun) -> Any:
    new = runs.NewRun(
        experiment_id=request.experiment_id,
        run_name=request.run_name,
        user_id=request.user_id,
        start_time=request.start_time,
        tags=wire.nouns(request.tags),
    )
    return {"run": wire.run(await context.write(runs.create, new))}


async def get(context: Context, request: wire.OfRun) -> Any:
    return {"run": wire.run(await context.read(runs.get, request.run))}


async def update(context: Context, request: wire.UpdateRun) -> Any:
    info = await context.write(runs.update_run, request.run, request.status, request.end_time, request.run_name)
    return {"run_info": wire.run_info(info)}


async def delete(context: Context, request: wire.DeleteOrRestoreRun) -> Any:
    await context.write(runs.delete, request.run_id)
    return {}


async def restore(context: Context, request: wire.DeleteOrRestoreRun) -> Any:
    await context.write(runs.restore, request.run_id)
    return {}


async def log_metric(context: Context, request: wire.LogMetric) -> Any:
    point = Incoming.one(request.key, request.value, request.timestamp, request.step)
    linked = (_of_model(request),) if request.model_id else ()
    await context.write(batch.log_batch, request.run, point, linked=linked)
    return {}


def _of_model(request: wire.LogMetric) -> ModelMetric:
    return ModelMetric(
        key=request.key,
        value=request.value,
        timestamp=request.timestamp,
        step=request.step,
        model_id=request.model_id,
        dataset_name=request.dataset_name,
        dataset_digest=request.dataset_digest,
    )


async def log_param(context: Context, request: wire.LogParam) -> Any:
    await context.write(batch.log_batch, request.run, (), (Param(key=request.key, value=request.value),))
    return {}


async def set_tag(context: Context, request: wire.SetTag) -> Any:
    await context.write(runs.set_tags, request.run, (Tag(key=request.key, value=request.value),))
    return {}


async def delete_tag(context: Context, request: wire.DeleteTag) -> Any:
    await context.write(runs.delete_tag, request.run_id, request.key)
    return {}


async def log_batch(context: Context, request: wire.LogBatch) -> Any:
    await context.write(
        batch.log_batch,
        request.run,
        Incoming.of(request.metrics),
        [param.noun() for param in request.params],
        wire.nouns(request.tags),
        request.linked,
    )
    return {}


async def log_inputs(context: Context, request: wire.LogInputs) -> Any:
    datasets = [used.noun() for used in request.datasets]
    await context.write(batch.log_inputs, request.run_id, datasets, [model.noun() for model in request.models])
    return {}


async def find(context: Context, request: wire.SearchRuns) -> Any:
    return await context.call(_page, context.store, request)


def _page(store: Store, request: wire.SearchRuns) -> Response:
    """Read and encoded in one thread: the loop would only carry the runs from one to another."""
    found, token = store.read(
        search.runs,
        request.experiment_ids,
        request.filter,
        request.order_by,
        request.max_results,
        request.page_token,
        request.run_view_type,
    )
    return answers.json(wire.present({"runs": [wire.run(noun) for noun in found], "next_page_token": token}))


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("POST", "/runs/create", wire.CreateRun, _WRITE, create, "Create a run"),
    Route("GET", "/runs/get", wire.OfRun, _READ, get, "Get a run"),
    Route("POST", "/runs/update", wire.UpdateRun, _WRITE, update, "Change a run's status, end or name"),
    Route("POST", "/runs/delete", wire.DeleteOrRestoreRun, _WRITE, delete, "Mark a run as deleted"),
    Route("POST", "/runs/restore", wire.DeleteOrRestoreRun, _WRITE, restore, "Restore a deleted run"),
    Route("POST", "/runs/log-metric", wire.LogMetric, _WRITE, log_metric, "Log a point of a metric"),
    Route("POST", "/runs/log-parameter", wire.LogParam, _WRITE, log_param, "Log a param"),
    Route("POST", "/runs/set-tag", wire.SetTag, _WRITE, set_tag, "Set a tag"),
    Route("POST", "/runs/delete-tag", wire.DeleteTag, _WRITE, delete_tag, "Delete a tag"),
    Route("POST", "/runs/log-batch", wire.LogBatch, _WRITE, log_batch, "Log metrics, params and tags together"),
    Route("POST", "/runs/log-inputs", wire.LogInputs, _WRITE, log_inputs, "Log the data sets that a run used"),
    Route("POST", "/runs/search", wire.SearchRuns, _READ, find, "Search runs"),
)
