"""Searching registered models and model versions: a tree of conditions, an order, one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from logbuch import limits
from logbuch.filter import MODEL_VERSIONS, REGISTERED_MODELS, Kind, OrderBy, parse_filter, parse_order_by
from logbuch.registry import ModelVersion, RegisteredModel, Stage
from logbuch.store.model_tables import (
    model_version_tags,
    model_versions,
    registered_model_tags,
    registered_models,
)
from logbuch.store.plans.own_tables import Own, OwnTables
from logbuch.store.query.paging import Order, SortKey, fetch_page
from logbuch.store.registry import assembly, prompts
from logbuch.store.tx import Tx

_TIMES = {"creation_timestamp": "creation_time", "last_updated_timestamp": "last_update_time"}
_MODELS: dict[str, Any] = {
    "name": registered_models.c.name,
    "description": registered_models.c.description,
    **{name: registered_models.c[column] for name, column in _TIMES.items()},
}
_VERSIONS: dict[str, Any] = {
    "name": registered_models.c.name,
    "version_number": model_versions.c.version,
    "source_path": model_versions.c.source,
    "current_stage": model_versions.c.stage,
    **{name: model_versions.c[name] for name in ("run_id", "model_id", "user_id", "description")},
    **{name: model_versions.c[column] for name, column in _TIMES.items()},
}
_STAGES = {"current_stage": {stage.value: stage.wire for stage in Stage}}


def models(
    tx: Tx,
    filter: str = "",  # noqa: A002
    order_by: Sequence[str] = (),
    max_results: int = limits.MODELS_PER_PAGE_DEFAULT,
    page_token: str = "",
) -> tuple[list[RegisteredModel], str | None]:
    """One page of models, by name if nothing else is said, and the token of the next."""
    limits.check_page_size(max_results, "max_results", limits.MODELS_PER_PAGE)
    conditions = OwnTables(tx.seam, registered_models, _MODELS, {Kind.TAG: Own(registered_model_tags, "model")})
    found = conditions.of(prompts.apart(parse_filter(filter, REGISTERED_MODELS)))
    wanted = parse_order_by(order_by, REGISTERED_MODELS)
    order = _order(_MODELS, wanted, [SortKey(registered_models.c.name)])
    rows, token = fetch_page(tx, select(registered_models).where(found), order, max_results, page_token)
    return assembly.models(tx, rows), token


def versions(
    tx: Tx,
    filter: str = "",  # noqa: A002
    order_by: Sequence[str] = (),
    max_results: int = limits.VERSIONS_PER_PAGE,
    page_token: str = "",
) -> tuple[list[ModelVersion], str | None]:
    """One page of versions, those changed last first if nothing else is said, and the token of the next."""
    limits.check_page_size(max_results, "max_results", limits.VERSIONS_PER_PAGE)
    own = {Kind.TAG: Own(model_version_tags, "version")}
    conditions = OwnTables(tx.seam, model_versions, _VERSIONS, own, _STAGES)
    found = conditions.of(prompts.apart(parse_filter(filter, MODEL_VERSIONS)))
    wanted = parse_order_by(order_by, MODEL_VERSIONS)
    last = [
        SortKey(model_versions.c.last_update_time, False),
        SortKey(registered_models.c.name),
        SortKey(model_versions.c.version, False),
    ]
    order = _order(_VERSIONS, wanted, last)
    rows, token = fetch_page(tx, assembly.NAMED.where(found), order, max_results, page_token)
    return assembly.versions(tx, rows), token


def _order(columns: Mapping[str, Any], wanted: Sequence[OrderBy], last: Sequence[SortKey]) -> Order:
    """What is wanted first, then what makes the order total."""
    keys = [SortKey(columns[field.key.name], field.ascending) for field in wanted]
    named = {field.key.name for field in wanted}
    rest = [key for key in last if not any(columns[name] is key.column for name in named)]
    return Order([*keys, *rest], repr(wanted))
