"""logged-models/*, but for their files."""

from __future__ import annotations

from typing import Any

from logbuch.errors import InvalidInput
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store.logged import models, search
from logbuch.store.logged.models import NewLoggedModel
from logbuch.store.logged.search import LoggedModelQuery, OfDataset, OrderOf
from logbuch.store.tx import Tx
from logbuch.wire import logged as wire
from logbuch.wire.mlflow import nouns, present

Answer = dict[str, Any]


def _create(tx: Tx, request: wire.CreateLoggedModel, by: Caller) -> Answer:  # noqa: ARG001
    new = NewLoggedModel(
        experiment_id=request.experiment_id,
        name=request.name,
        model_type=request.model_type,
        source_run_id=request.source_run_id,
        params=tuple(param.noun() for param in request.params),
        tags=nouns(request.tags),
    )
    return {"model": wire.model(models.create(tx, new))}


def _get(tx: Tx, request: wire.OfLoggedModel, by: Caller, model_id: str) -> Answer:  # noqa: ARG001
    return {"model": wire.model(models.get(tx, model_id))}


def _finalize(tx: Tx, request: wire.FinalizeLoggedModel, by: Caller, model_id: str) -> Answer:  # noqa: ARG001
    return {"model": wire.model(models.finalize(tx, model_id, request.noun()))}


def _delete(tx: Tx, request: wire.OfLoggedModel, by: Caller, model_id: str) -> Answer:  # noqa: ARG001
    models.delete_model(tx, model_id)
    return {}


def _search(tx: Tx, request: wire.SearchLoggedModels, by: Caller) -> Answer:  # noqa: ARG001
    query = LoggedModelQuery(
        experiment_ids=tuple(request.experiment_ids),
        filter=request.filter,
        datasets=tuple(_dataset(one, f"datasets[{place}]") for place, one in enumerate(request.datasets)),
        order=tuple(_order(one, f"order_by[{place}]") for place, one in enumerate(request.order_by)),
    )
    found, token = search.find(tx, query, request.max_results, request.page_token)
    return present({"models": [wire.model(noun) for noun in found], "next_page_token": token})


def _set_tags(tx: Tx, request: wire.SetLoggedModelTags, by: Caller, model_id: str) -> Answer:  # noqa: ARG001
    models.set_tags(tx, model_id, nouns(request.tags))
    return {}


def _delete_tag(tx: Tx, request: wire.OfLoggedModel, by: Caller, model_id: str, path: str) -> Answer:  # noqa: ARG001
    models.delete_tag(tx, model_id, path)
    return {}


def _log_params(tx: Tx, request: wire.LogLoggedModelParams, by: Caller, model_id: str) -> Answer:  # noqa: ARG001
    models.log_params(tx, model_id, [param.noun() for param in request.params])
    return {}


def _dataset(given: wire.WireModelDataset, field: str) -> OfDataset:
    if not given.dataset_name:
        raise InvalidInput(f"`dataset_name` in `{field}` must be specified.")
    return OfDataset(name=given.dataset_name, digest=given.dataset_digest)


def _order(given: wire.WireModelOrder, field: str) -> OrderOf:
    on = _dataset(given, field) if given.dataset_name or given.dataset_digest else None
    return OrderOf(field=given.field_name, ascending=given.ascending, dataset=on)


ONE = "/logged-models/{model_id}"
OPERATIONS = (
    Operation("POST", "/logged-models", wire.CreateLoggedModel, True, _create, "Create a logged model"),
    Operation("POST", "/logged-models/search", wire.SearchLoggedModels, False, _search, "Search logged models"),
    Operation("GET", ONE, wire.OfLoggedModel, False, _get, "Get a logged model"),
    Operation("PATCH", ONE, wire.FinalizeLoggedModel, True, _finalize, "Note that a model's files are whole"),
    Operation("DELETE", ONE, wire.OfLoggedModel, True, _delete, "Mark a logged model as deleted"),
    Operation("PATCH", ONE + "/tags", wire.SetLoggedModelTags, True, _set_tags, "Set tags"),
    Operation("DELETE", ONE + "/tags/{path}", wire.OfLoggedModel, True, _delete_tag, "Delete a tag"),
    Operation("POST", ONE + "/params", wire.LogLoggedModelParams, True, _log_params, "Log params of a model"),
)
