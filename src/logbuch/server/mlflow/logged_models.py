"""The files of logged models, and which models a run made."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from logbuch.files import keys
from logbuch.operations.logged_models import ONE
from logbuch.server.context import Context
from logbuch.server.mlflow.artifacts import show
from logbuch.server.routes import Permission, Route
from logbuch.store import batch, experiments
from logbuch.store.logged import models
from logbuch.store.tx import Tx
from logbuch.wire import logged as wire
from logbuch.wire.mlflow import file_info, present


async def list_artifacts(context: Context, request: wire.ListLoggedModelArtifacts, model_id: str) -> Any:
    folder, root = await context.read(_folder, model_id)
    shown = "/".join(keys.segments(request.artifact_directory_path)) if request.artifact_directory_path else ""
    files = await context.files_call(context.files.list, keys.join(folder, shown), shown)
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


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route(
        "GET", ONE + "/artifacts/directories", wire.ListLoggedModelArtifacts, _READ, list_artifacts, "List its files"
    ),
    Route(
        "GET",
        ONE + "/artifacts/files",
        wire.GetLoggedModelArtifact,
        _READ,
        get_artifact,
        "Show a file of a model",
        with_head=True,
    ),
    Route("POST", "/runs/outputs", wire.LogOutputs, _WRITE, log_outputs, "Log the models that a run made"),
)
