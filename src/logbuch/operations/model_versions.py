"""model-versions/*"""

from __future__ import annotations

from typing import Any

from logbuch.model import Tag
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.registryhooks import RegistryEvent
from logbuch.store.delivery import registryhooks
from logbuch.store.registry import lookup, search, versions
from logbuch.store.registry.versions import NewVersion
from logbuch.store.tx import Tx
from logbuch.wire import registry as wire
from logbuch.wire.mlflow import nouns, present

Answer = dict[str, Any]


def _create(tx: Tx, request: wire.CreateVersion, by: Caller) -> Answer:
    new = NewVersion(
        name=request.name,
        source=request.source,
        run_id=request.run_id,
        model_id=request.model_id,
        run_link=request.run_link,
        description=request.description,
        tags=nouns(request.tags),
    )
    made = versions.create(tx, new, by)
    data = {"source": made.source, "run_id": made.run_id or None, "description": made.description or None}
    named = {"name": made.name, "version": made.version, "tags": dict(made.tags)}
    registryhooks.announce(tx, RegistryEvent.VERSION_CREATED, named | data)
    return {"model_version": wire.version(made)}


def _get(tx: Tx, request: wire.OfVersion, by: Caller) -> Answer:  # noqa: ARG001
    return {"model_version": wire.version(lookup.version(tx, request.name, request.version))}


def _download_uri(tx: Tx, request: wire.OfVersion, by: Caller) -> Answer:  # noqa: ARG001
    return {"artifact_uri": lookup.version(tx, request.name, request.version).location}


def _update(tx: Tx, request: wire.UpdateVersion, by: Caller) -> Answer:  # noqa: ARG001
    changed = versions.update_version(tx, request.name, request.version, request.description)
    return {"model_version": wire.version(changed)}


def _transition(tx: Tx, request: wire.TransitionStage, by: Caller) -> Answer:
    archive = request.archive_existing_versions
    moved = versions.transition(tx, request.name, request.version, request.stage, archive_existing=archive, by=by)
    return {"model_version": wire.version(moved)}


def _delete(tx: Tx, request: wire.OfVersion, by: Caller) -> Answer:
    versions.delete_version(tx, request.name, request.version, by)
    return {}


def _search(tx: Tx, request: wire.SearchVersions, by: Caller) -> Answer:  # noqa: ARG001
    found, token = search.versions(tx, request.filter, request.order_by, request.max_results, request.page_token)
    return present({"model_versions": [wire.version(noun) for noun in found], "next_page_token": token})


def _set_tag(tx: Tx, request: wire.SetVersionTag, by: Caller) -> Answer:  # noqa: ARG001
    versions.set_tag(tx, request.name, request.version, Tag(key=request.key, value=request.value))
    data = {"name": request.name, "version": request.version, "key": request.key, "value": request.value}
    registryhooks.announce(tx, RegistryEvent.TAG_SET, data)
    return {}


def _delete_tag(tx: Tx, request: wire.DeleteVersionTag, by: Caller) -> Answer:  # noqa: ARG001
    versions.delete_tag(tx, request.name, request.version, request.key)
    data = {"name": request.name, "version": request.version, "key": request.key}
    registryhooks.announce(tx, RegistryEvent.TAG_DELETED, data)
    return {}


_STAGE = "/model-versions/transition-stage"
OPERATIONS = (
    Operation("POST", "/model-versions/create", wire.CreateVersion, True, _create, "Register a run's or model's files"),
    Operation("GET", "/model-versions/get", wire.OfVersion, False, _get, "Get a model version"),
    Operation("GET", "/model-versions/get-download-uri", wire.OfVersion, False, _download_uri, "Where its files lie"),
    Operation("PATCH", "/model-versions/update", wire.UpdateVersion, True, _update, "Set a version's description"),
    Operation("POST", _STAGE, wire.TransitionStage, True, _transition, "Move to a stage"),
    Operation("DELETE", "/model-versions/delete", wire.OfVersion, True, _delete, "Delete a model version"),
    Operation("GET", "/model-versions/search", wire.SearchVersions, False, _search, "Search model versions"),
    Operation("POST", "/model-versions/set-tag", wire.SetVersionTag, True, _set_tag, "Set a tag"),
    Operation("DELETE", "/model-versions/delete-tag", wire.DeleteVersionTag, True, _delete_tag, "Delete a tag"),
)
