"""registered-models/*"""

from __future__ import annotations

from typing import Any

from logbuch.model import Tag
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.registryhooks import RegistryEvent
from logbuch.store.delivery import registryhooks
from logbuch.store.registry import aliases, lookup, models, search
from logbuch.store.tx import Tx
from logbuch.wire import registry as wire
from logbuch.wire.mlflow import nouns, present

Answer = dict[str, Any]


def _create(tx: Tx, request: wire.CreateModel, by: Caller) -> Answer:
    made = models.create(tx, request.name, nouns(request.tags), request.description, by)
    data = {"name": made.name, "tags": dict(made.tags), "description": made.description or None}
    registryhooks.announce(tx, RegistryEvent.MODEL_CREATED, data)
    return {"registered_model": wire.model(made)}


def _get(tx: Tx, request: wire.OfModel, by: Caller) -> Answer:  # noqa: ARG001
    return {"registered_model": wire.model(models.get(tx, request.name))}


def _rename(tx: Tx, request: wire.RenameModel, by: Caller) -> Answer:
    return {"registered_model": wire.model(models.rename(tx, request.name, request.new_name, by))}


def _update(tx: Tx, request: wire.UpdateModel, by: Caller) -> Answer:  # noqa: ARG001
    return {"registered_model": wire.model(models.update_model(tx, request.name, request.description))}


def _delete(tx: Tx, request: wire.OfModel, by: Caller) -> Answer:
    models.delete_model(tx, request.name, by)
    return {}


def _search(tx: Tx, request: wire.SearchModels, by: Caller) -> Answer:  # noqa: ARG001
    found, token = search.models(tx, request.filter, request.order_by, request.max_results, request.page_token)
    return present({"registered_models": [wire.model(noun) for noun in found], "next_page_token": token})


def _latest(tx: Tx, request: wire.LatestVersions, by: Caller) -> Answer:  # noqa: ARG001
    return present({"model_versions": [wire.version(noun) for noun in lookup.latest(tx, request.name, request.stages)]})


def _set_tag(tx: Tx, request: wire.SetModelTag, by: Caller) -> Answer:  # noqa: ARG001
    models.set_tag(tx, request.name, Tag(key=request.key, value=request.value))
    return {}


def _delete_tag(tx: Tx, request: wire.DeleteModelTag, by: Caller) -> Answer:  # noqa: ARG001
    models.delete_tag(tx, request.name, request.key)
    return {}


def _set_alias(tx: Tx, request: wire.SetAlias, by: Caller) -> Answer:
    aliases.set_alias(tx, request.name, request.alias, request.version, by)
    data = {"name": request.name, "alias": request.alias, "version": request.version}
    registryhooks.announce(tx, RegistryEvent.ALIAS_CREATED, data)
    return {}


def _delete_alias(tx: Tx, request: wire.OfAlias, by: Caller) -> Answer:
    aliases.delete_alias(tx, request.name, request.alias, by)
    registryhooks.announce(tx, RegistryEvent.ALIAS_DELETED, {"name": request.name, "alias": request.alias})
    return {}


def _by_alias(tx: Tx, request: wire.OfAlias, by: Caller) -> Answer:  # noqa: ARG001
    return {"model_version": wire.version(lookup.by_alias(tx, request.name, request.alias))}


_LATEST = "/registered-models/get-latest-versions"
OPERATIONS = (
    Operation("POST", "/registered-models/create", wire.CreateModel, True, _create, "Create a registered model"),
    Operation("GET", "/registered-models/get", wire.OfModel, False, _get, "Get a registered model"),
    Operation("POST", "/registered-models/rename", wire.RenameModel, True, _rename, "Rename a registered model"),
    Operation("PATCH", "/registered-models/update", wire.UpdateModel, True, _update, "Set a model's description"),
    Operation("DELETE", "/registered-models/delete", wire.OfModel, True, _delete, "Delete a model and its versions"),
    Operation("GET", "/registered-models/search", wire.SearchModels, False, _search, "Search registered models"),
    Operation("POST", _LATEST, wire.LatestVersions, False, _latest, "Newest version of each stage"),
    Operation("GET", _LATEST, wire.LatestVersions, False, _latest, "Newest version of each stage"),
    Operation("POST", "/registered-models/set-tag", wire.SetModelTag, True, _set_tag, "Set a tag"),
    Operation("DELETE", "/registered-models/delete-tag", wire.DeleteModelTag, True, _delete_tag, "Delete a tag"),
    Operation("POST", "/registered-models/alias", wire.SetAlias, True, _set_alias, "Let an alias lead to a version"),
    Operation("DELETE", "/registered-models/alias", wire.OfAlias, True, _delete_alias, "Delete an alias"),
    Operation("GET", "/registered-models/alias", wire.OfAlias, False, _by_alias, "Get the version of an alias"),
)
