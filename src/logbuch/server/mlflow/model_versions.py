"""model-versions/*"""

from __future__ import annotations

from typing import Any

from logbuch.model import Tag
from logbuch.server.caller import caller
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store.registry import lookup, search, versions
from logbuch.store.registry.versions import NewVersion
from logbuch.wire import registry as wire
from logbuch.wire.mlflow import nouns, present


async def create(context: Context, request: wire.CreateVersion) -> Any:
    new = NewVersion(
        name=request.name,
        source=request.source,
        run_id=request.run_id,
        model_id=request.model_id,
        run_link=request.run_link,
        description=request.description,
        tags=nouns(request.tags),
    )
    return {"model_version": wire.version(await context.write(versions.create, new, caller()))}


async def get(context: Context, request: wire.OfVersion) -> Any:
    return {"model_version": wire.version(await context.read(lookup.version, request.name, request.version))}


async def download_uri(context: Context, request: wire.OfVersion) -> Any:
    return {"artifact_uri": (await context.read(lookup.version, request.name, request.version)).location}


async def update(context: Context, request: wire.UpdateVersion) -> Any:
    changed = await context.write(versions.update_version, request.name, request.version, request.description)
    return {"model_version": wire.version(changed)}


async def transition(context: Context, request: wire.TransitionStage) -> Any:
    moved = await context.write(
        versions.transition,
        request.name,
        request.version,
        request.stage,
        archive_existing=request.archive_existing_versions,
        by=caller(),
    )
    return {"model_version": wire.version(moved)}


async def delete(context: Context, request: wire.OfVersion) -> Any:
    await context.write(versions.delete_version, request.name, request.version, caller())
    return {}


async def find(context: Context, request: wire.SearchVersions) -> Any:
    found, token = await context.read(
        search.versions, request.filter, request.order_by, request.max_results, request.page_token
    )
    return present({"model_versions": [wire.version(noun) for noun in found], "next_page_token": token})


async def set_tag(context: Context, request: wire.SetVersionTag) -> Any:
    tag = Tag(key=request.key, value=request.value)
    await context.write(versions.set_tag, request.name, request.version, tag)
    return {}


async def delete_tag(context: Context, request: wire.DeleteVersionTag) -> Any:
    await context.write(versions.delete_tag, request.name, request.version, request.key)
    return {}


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("POST", "/model-versions/create", wire.CreateVersion, _WRITE, create, "Register a run's or model's files"),
    Route("GET", "/model-versions/get", wire.OfVersion, _READ, get, "Get a model version"),
    Route("GET", "/model-versions/get-download-uri", wire.OfVersion, _READ, download_uri, "Where its files lie"),
    Route("PATCH", "/model-versions/update", wire.UpdateVersion, _WRITE, update, "Set a version's description"),
    Route("POST", "/model-versions/transition-stage", wire.TransitionStage, _WRITE, transition, "Move to a stage"),
    Route("DELETE", "/model-versions/delete", wire.OfVersion, _WRITE, delete, "Delete a model version"),
    Route("GET", "/model-versions/search", wire.SearchVersions, _READ, find, "Search model versions"),
    Route("POST", "/model-versions/set-tag", wire.SetVersionTag, _WRITE, set_tag, "Set a tag"),
    Route("DELETE", "/model-versions/delete-tag", wire.DeleteVersionTag, _WRITE, delete_tag, "Delete a tag"),
)
