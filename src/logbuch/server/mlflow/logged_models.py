"""logged-models/*, and which logged models a run made."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from logbuch.errors import InvalidInput
from logbuch.files import keys
from logbuch.server.context import Context
from logbuch.server.mlflow.artifacts import show
from logbuch.server.routes import Permission, Route
from logbuch.store import batch, experiments
from logbuch.store.logged import models, search
from logbuch.store.logged.models import NewLoggedModel
from logbuch.store.logged.search import LoggedModelQuery, OfDataset, OrderOf
from logbuch.store.tx import Tx
from logbuch.wire import logged as wire
from logbuch.wire.mlflow import file_info, nouns, present


async def create(context: Context, request: wire.CreateLoggedModel) -> Any:
    new = NewLoggedModel(
        experiment_id=request.experiment_id,
        name=request.name,
        model_type=request.model_type,
        source_run_id=request.source_run_id,
        params=tuple(param.noun() for param in request.params),
        tags=nouns(request.tags),
    )
    return {"model": wire.model(await context.write(models.create, new))}


async def get(context: Context, request: wire.OfLoggedModel, model_id: str) -> Any:  # noqa: ARG001
    return {"model": wire.model(await context.read(models.get, model_id))}


async def finalize(context: Context, request: wire.FinalizeLoggedModel, model_id: str) -> Any:
    return {"model": wire.model(await context.write(models.finalize, model_id, request.noun()))}


async def delete(context: Context, request: wire.OfLoggedModel, model_id: str) -> Any:  # noqa: ARG001
    await context.write(models.delete_model, model_id)
    return {}


async def find(context: Context, request: wire.SearchLoggedModels) -> Any:
    query = LoggedModelQuery(
        experiment_ids=tuple(request.experiment_ids),
        filter=request.filter,
        datasets=tuple(_dataset(one, f"datasets[{place}]") for place, one in enumerate(request.datasets)),
        order=tuple(_order(one, f"order_by[{place}]") for place, one in enumerate(request.order_by)),
    )
    found, token = await context.read(search.find, query, request.max_results, request.page_token)
    return present({"models": [wire.model(noun) for noun in found], "next_page_token": token})


async def set_tags(context: Context, request: wire.SetLoggedModelTags, model_id: str) -> Any:
    await context.write(models.set_tags, model_id, nouns(request.tags))
    return {}


async def delete_tag(context: Context, request: wire.OfLoggedModel, model_id: str, path: str) -> Any:  # noqa: ARG001
    await context.write(models.delete_tag, model_id, path)
    return {}


async def log_params(context: Context, request: wire.LogLoggedModelParams, model_id: str) -> Any:
    await context.write(models.log_params, model_id, [param.noun() for param in request.params])
    return {}


async def list_artifacts(context: Context, request: wire.ListLoggedModelArtifacts, model_id: str) -> Any:
    folder, root = await context.read(_folder, model_id)
    shown = "/".join(keys.segments(request.artifact_directory_path)) if request.artifact_directory_path else ""
    files = await context.call(context.files.list, keys.join(folder, shown), shown)
    return {"root_uri": root} | present({"files": [file_info(file) for file in files]})


async def get_artifact(
    context: Context, request: wire.GetLoggedModelArtifact, model_id: str, head: Request
) -> Response:
    """A file of a model for the page."""
    folder, _ = await context.read(_folder, model_id)
    key = keys.join(folder, request.artifact_file_path)
    return await show(context, head, key, request.artifact_file_path, request.download)


async def log_outputs(context: Context, request: wire.LogOutputs) -> Any:
    await context.write(batch.log_outputs, request.run_id, [model.noun() for model in request.models])
    return {}


def _folder(tx: Tx, model_id: str) -> tuple[str, str]:
    """The key of a model's folder, and its address."""
    row = models.row(tx, model_id)
    return (
        f"{experiments.location(tx, str(row.experiment))}/{models.folder(row)}",
        f"{experiments.LOCATION_SCHEME}{row.experiment}/{models.folder(row)}",
    )


def _dataset(given: wire.WireModelDataset, field: str) -> OfDataset:
    if not given.dataset_name:
        raise InvalidInput(f"`dataset_name` in `{field}` must be specified.")
    return OfDataset(name=given.dataset_name, digest=given.dataset_digest)


def _order(given: wire.WireModelOrder, field: str) -> OrderOf:
    on = _dataset(given, field) if given.dataset_name or given.dataset_digest else None
    return OrderOf(field=given.field_name, ascending=given.ascending, dataset=on)


_READ, _WRITE = Permission.READ, Permission.WRITE
_ONE = "/logged-models/{model_id}"
ROUTES = (
    Route("POST", "/logged-models", wire.CreateLoggedModel, _WRITE, create, "Create a logged model"),
    Route("POST", "/logged-models/search", wire.SearchLoggedModels, _READ, find, "Search logged models"),
    Route("GET", _ONE, wire.OfLoggedModel, _READ, get, "Get a logged model"),
    Route("PATCH", _ONE, wire.FinalizeLoggedModel, _WRITE, finalize, "Note that a model's files are whole"),
    Route("DELETE", _ONE, wire.OfLoggedModel, _WRITE, delete, "Mark a logged model as deleted"),
    Route("PATCH", _ONE + "/tags", wire.SetLoggedModelTags, _WRITE, set_tags, "Set tags"),
    Route("DELETE", _ONE + "/tags/{path}", wire.OfLoggedModel, _WRITE, delete_tag, "Delete a tag"),
    Route("POST", _ONE + "/params", wire.LogLoggedModelParams, _WRITE, log_params, "Log params of a model"),
    Route(
        "GET", _ONE + "/artifacts/directories", wire.ListLoggedModelArtifacts, _READ, list_artifacts, "List its files"
    ),
    Route(
        "GET",
        _ONE + "/artifacts/files",
        wire.GetLoggedModelArtifact,
        _READ,
        get_artifact,
        "Show a file of a model",
        with_head=True,
    ),
    Route("POST", "/runs/outputs", wire.LogOutputs, _WRITE, log_outputs, "Log the models that a run made"),
)
