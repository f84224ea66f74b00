"""registered-models/*"""

from __future__ import annotations

from typing import Any

from logbuch.model import Tag
from logbuch.server.caller import caller
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store.registry import aliases, lookup, models, search
from logbuch.wire import registry as wire
from logbuch.wire.mlflow import nouns, present


async def create(context: Context, request: wire.CreateModel) -> Any:
    tags = nouns(request.tags)
    made = await context.write(models.create, request.name, tags, request.description, caller())
    return {"registered_model": wire.model(made)}


async def get(context: Context, request: wire.OfModel) -> Any:
    return {"registered_model": wire.model(await context.read(models.get, request.name))}


async def rename(context: Context, request: wire.RenameModel) -> Any:
    renamed = await context.write(models.rename, request.name, request.new_name, caller())
    return {"registered_model": wire.model(renamed)}


async def update(context: Context, request: wire.UpdateModel) -> Any:
    changed = await context.write(models.update_model, request.name, request.description)
    return {"registered_model": wire.model(changed)}


async def delete(context: Context, request: wire.OfModel) -> Any:
    await context.write(models.delete_model, request.name, caller())
    return {}


async def find(context: Context, request: wire.SearchModels) -> Any:
    found, token = await context.read(
        search.models, request.filter, request.order_by, request.max_results, request.page_token
    )
    return present({"registered_models": [wire.model(noun) for noun in found], "next_page_token": token})


async def latest(context: Context, request: wire.LatestVersions) -> Any:
    found = await context.read(lookup.latest, request.name, request.stages)
    return present({"model_versions": [wire.version(noun) for noun in found]})


async def set_tag(context: Context, request: wire.SetModelTag) -> Any:
    await context.write(models.set_tag, request.name, Tag(key=request.key, value=request.value))
    return {}


async def delete_tag(context: Context, request: wire.DeleteModelTag) -> Any:
    await context.write(models.delete_tag, request.name, request.key)
    return {}


async def set_alias(context: Context, request: wire.SetAlias) -> Any:
    await context.write(aliases.set_alias, request.name, request.alias, request.version, caller())
    return {}


async def delete_alias(context: Context, request: wire.OfAlias) -> Any:
    await context.write(aliases.delete_alias, request.name, request.alias, caller())
    return {}


async def get_by_alias(context: Context, request: wire.OfAlias) -> Any:
    return {"model_version": wire.version(await context.read(lookup.by_alias, request.name, request.alias))}


_READ, _WRITE = Permission.READ, Permission.WRITE
ROUTES = (
    Route("POST", "/registered-models/create", wire.CreateModel, _WRITE, create, "Create a registered model"),
    Route("GET", "/registered-models/get", wire.OfModel, _READ, get, "Get a registered model"),
    Route("POST", "/registered-models/rename", wire.RenameModel, _WRITE, rename, "Rename a registered model"),
    Route("PATCH", "/registered-models/update", wire.UpdateModel, _WRITE, update, "Set a model's description"),
    Route("DELETE", "/registered-models/delete", wire.OfModel, _WRITE, delete, "Delete a model and its versions"),
    Route("GET", "/registered-models/search", wire.SearchModels, _READ, find, "Search registered models"),
    Route("POST", "/registered-models/get-latest-versions", wire.LatestVersions, _READ, latest, "Newest of each stage"),
    Route("GET", "/registered-models/get-latest-versions", wire.LatestVersions, _READ, latest, "Newest of each stage"),
    Route("POST", "/registered-models/set-tag", wire.SetModelTag, _WRITE, set_tag, "Set a tag"),
    Route("DELETE", "/registered-models/delete-tag", wire.DeleteModelTag, _WRITE, delete_tag, "Delete a tag"),
    Route("POST", "/registered-models/alias", wire.SetAlias, _WRITE, set_alias, "Let an alias lead to a version"),
    Route("DELETE", "/registered-models/alias", wire.OfAlias, _WRITE, delete_alias, "Delete an alias"),
    Route("GET", "/registered-models/alias", wire.OfAlias, _READ, get_by_alias, "Get the version of an alias"),
)
