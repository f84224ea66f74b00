"""Searching logged models: a tree of conditions, an order, one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import and_, case, false, func, or_, select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.filter import LOGGED_MODELS, Key, Kind, parse_filter, parse_order_by
from logbuch.logged import LoggedModel, LoggedModelStatus
from logbuch.model import Noun
from logbuch.store.experiments import inner_id
from logbuch.store.logged import models
from logbuch.store.metrics import ordinal
from logbuch.store.model_tables import (
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
)
from logbuch.store.plans.conditions import Condition
from logbuch.store.plans.own_tables import Own, OwnTables
from logbuch.store.query.paging import Order, SortKey, fetch_page
from logbuch.store.tx import Tx

_table = logged_models
_COLUMNS: dict[str, Any] = {
    "experiment_id": _table.c.experiment,
    "creation_timestamp": _table.c.creation_time,
    "last_updated_timestamp": _table.c.last_update_time,
    **{name: _table.c[name] for name in ("name", "model_id", "source_run_id", "model_type", "status")},
}
_STATUSES = {"status": {status.value: status.wire for status in LoggedModelStatus}}


class OfDataset(Noun, frozen=True, kw_only=True):
    """A data set that metrics were taken on; without ``digest`` any of that name."""

    name: str
    digest: str = ""


class OrderOf(Noun, frozen=True, kw_only=True):
    """A field of an order: an attribute or ``metrics.<key>``, the latter on a data set if one is named."""

    field: str
    ascending: bool = True
    dataset: OfDataset | None = None


class LoggedModelQuery(Noun, frozen=True, kw_only=True):
    """What is sought: in these experiments, by a search text; with ``datasets`` only metrics on these count."""

    experiment_ids: tuple[str, ...]
    filter: str = ""
    datasets: tuple[OfDataset, ...] = ()
    order: tuple[OrderOf, ...] = ()


def find(
    tx: Tx, query: LoggedModelQuery, max_results: int = limits.LOGGED_MODELS_PER_PAGE_DEFAULT, page_token: str = ""
) -> tuple[list[LoggedModel], str | None]:
    """One page of models that are not deleted, newest first if nothing else is said, and the token of the next."""
    limits.check_page_size(max_results, "max_results", limits.LOGGED_MODELS_PER_PAGE)
    limits.check_ids(query.experiment_ids, "experiment_ids")
    if len(query.datasets) > limits.LOGGED_MODEL_DATASETS:
        raise InvalidInput(
            f"'datasets' names {len(query.datasets)}; at most {limits.LOGGED_MODEL_DATASETS} are allowed."
        )
    order, source = _ordered(query)
    found = _conditions(tx, query).of(parse_filter(query.filter, LOGGED_MODELS))
    ours = _table.c.experiment.in_(sorted({inner_id(id_) for id_ in query.experiment_ids}))
    statement = select(_table).select_from(source).where(ours, _table.c.deleted.is_(False), found)
    if query.datasets:
        statement = statement.where(_measured(query.datasets))
    rows, token = fetch_page(tx, statement, order, max_results, page_token)
    return models.nouns(tx, rows), token


def _conditions(tx: Tx, query: LoggedModelQuery) -> OwnTables:
    also = _on(query.datasets) if query.datasets else None
    own = {
        Kind.METRIC: Own(logged_model_metrics, "model", also),
        Kind.PARAM: Own(logged_model_params, "model"),
        Kind.TAG: Own(logged_model_tags, "model"),
    }
    return OwnTables(tx.seam, _table, _COLUMNS, own, _STATUSES)


def _on(datasets: Sequence[OfDataset]) -> Callable[[Any], Condition]:
    """Whether a row of metrics was taken on one of these data sets."""

    def test(row: Any) -> Condition:
        terms = [
            and_(row.dataset_name == one.name, *([row.dataset_digest == one.digest] if one.digest else []))
            for one in datasets
            if limits.is_storable(one.name) and limits.is_storable(one.digest)
        ]
        return or_(false(), *terms)

    return test


def _measured(datasets: Sequence[OfDataset]) -> Condition:
    own = logged_model_metrics.c
    found: Condition = _table.c.id.in_(select(own.model).where(_on(datasets)(own)))
    return found


def _ordered(query: LoggedModelQuery) -> tuple[Order, Any]:
    """The order, and the tables that it reads."""
    keys: list[SortKey] = []
    source: Any = _table
    for wanted in query.order:
        (field,) = parse_order_by([wanted.field], LOGGED_MODELS)
        if field.key.kind is Kind.METRIC:
            value = _latest(field.key, wanted.dataset)
            source = source.outerjoin(value, value.c.model == _table.c.id)
            rank = case((value.c.value.is_(None), 2), (value.c.value == ordinal.NAN, 1), else_=0)
            keys += [SortKey(rank), SortKey(func.coalesce(value.c.value, 0), wanted.ascending)]
        else:
            keys.append(SortKey(_COLUMNS[field.key.name], wanted.ascending))
    keys += [SortKey(_table.c.creation_time, False), SortKey(_table.c.id, False)]
    return Order(keys, repr((query.experiment_ids, query.filter, query.datasets, query.order))), source


def _latest(key: Key, dataset: OfDataset | None) -> Any:
    """The latest value of a metric of each model: at the highest step, then timestamp, then value."""
    own = logged_model_metrics.c
    newest = (own.step.desc(), own.timestamp.desc(), own.value.desc(), own.run, own.dataset_name, own.dataset_digest)
    place = func.row_number().over(partition_by=own.model, order_by=newest).label("place")
    ranked = select(own.model, own.value, place).where(own.key == key.name)
    if dataset is not None:
        ranked = ranked.where(_on([dataset])(own))
    rows = ranked.subquery()
    return select(rows.c.model, rows.c.value).where(rows.c.place == 1).subquery()
