"""Searching runs and experiments: a tree of conditions, an order, one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, case, func, literal, select

from logbuch import limits
from logbuch.filter import EXPERIMENTS, RUNS, Key, Kind, OrderBy, parse_filter, parse_order_by
from logbuch.model import Experiment, Run, RunStatus, ViewType
from logbuch.store import experiments as experiment_store
from logbuch.store import runs as run_store
from logbuch.store import schema
from logbuch.store.conditions import Conditions, artifact_uri
from logbuch.store.metrics import ordinal
from logbuch.store.paging import Order, SortKey
from logbuch.store.tx import Tx


@dataclass(frozen=True, slots=True)
class RunQuery:
    """What is sought. ``run_ids``, if given, narrows the search to these runs."""

    experiment_ids: Sequence[str]
    filter: str = ""
    order_by: Sequence[str] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    run_ids: Sequence[str] | None = None
    by_size: bool = False
    """Whether params that are numbers are ordered by size, before texts; MLflow's endpoint orders them as texts."""


def runs(
    tx: Tx,
    experiment_ids: Sequence[str],
    filter: str = "",  # noqa: A002
    order_by: Sequence[str] = (),
    max_results: int = limits.RUNS_PER_PAGE_DEFAULT,
    page_token: str = "",
    view: ViewType = ViewType.ACTIVE_ONLY,
) -> tuple[list[Run], str | None]:
    """One page of whole runs, and the token of the next."""
    rows, token = page(tx, RunQuery(experiment_ids, filter, order_by, view), max_results, page_token)
    return run_store.nouns(tx, rows), token


def page(tx: Tx, query: RunQuery, max_results: int, page_token: str = "") -> tuple[list[Row[Any]], str | None]:
    """One page of rows of the table of runs, and the token of the next page."""
    limits.check_page_size(max_results, "max_results", limits.RUNS_PER_PAGE)
    condition = _condition(tx, query)
    if condition is None:
        return [], None
    wanted = parse_order_by(query.order_by, RUNS)
    plain = _order(tx, wanted, by_size=query.by_size)
    if len(query.experiment_ids) == 1 and wanted and wanted[0].key.kind is Kind.METRIC:
        return _page_by_value(tx, query, wanted, plain, condition, max_results, page_token)
    return _page(tx, plain.select(condition), plain.order, max_results, page_token)


def count(tx: Tx, query: RunQuery) -> int:
    """How many runs a search finds."""
    condition = _condition(tx, query)
    if condition is None:
        return 0
    return int(tx.execute(select(func.count()).select_from(schema.runs).where(condition)).scalar_one())


def experiments(
    tx: Tx,
    filter: str = "",  # noqa: A002
    order_by: Sequence[str] = (),
    max_results: int = limits.EXPERIMENTS_PER_PAGE,
    page_token: str = "",
    view: ViewType = ViewType.ACTIVE_ONLY,
) -> tuple[list[Experiment], str | None]:
    """One page of experiments, and the token of the next."""
    limits.check_page_size(max_results, "max_results", limits.EXPERIMENTS_PER_PAGE)
    table = schema.experiments
    wanted = parse_order_by(order_by, EXPERIMENTS) or (OrderBy(Key(Kind.ATTRIBUTE, "creation_time"), False),)
    keys = [
        SortKey(table.c["id" if field.key.name == "experiment_id" else field.key.name], field.ascending)
        for field in wanted
    ]
    order = Order([*keys, SortKey(table.c.id, False)], repr(wanted))
    statement = select(table, *order.columns()).where(_in_view(table, view))
    statement = statement.where(Conditions(tx, table).of(parse_filter(filter, EXPERIMENTS)))
    rows, token = _page(tx, statement, order, max_results, page_token)
    return experiment_store.nouns(tx, rows), token


def _page_by_value(
    tx: Tx,
    query: RunQuery,
    wanted: Sequence[OrderBy],
    plain: _Ordered,
    condition: ColumnElement[bool],
    size: int,
    token: str,
) -> tuple[list[Row[Any]], str | None]:
    """A page in the order of a metric: numbers come from the value index, and only then the runs without a number."""
    rows: list[Row[Any]] = []
    indexed = _order(tx, wanted, by_size=query.by_size, experiment=experiment_store.inner_id(query.experiment_ids[0]))
    if not token or indexed.order.values(token)[0] == 0:
        # The index knows the experiment already; to say it of the runs too would tempt the planner to begin there.
        narrow = _condition(tx, replace(query, experiment_ids=()), anywhere=True)
        assert narrow is not None
        statement = indexed.select(narrow)
        if token:  # what the index can seek to; the order's own condition is finer
            value, column = indexed.order.values(token)[1], indexed.order.keys[1].column
            statement = statement.where(column >= value if wanted[0].ascending else column <= value)
        rows, following = _page(tx, statement, indexed.order, size, token)
        if following is not None:
            return rows, following
        token = ""
    rest = plain.select(condition & (plain.order.keys[0].column != 0))
    left = size - len(rows)
    more, following = _page(tx, rest, plain.order, max(left, 1), token)
    if left == 0:
        return rows, indexed.order.token(rows[-1]) if more else None
    return rows + more, following


def _page(tx: Tx, statement: Select[Any], order: Order, size: int, token: str) -> tuple[list[Row[Any]], str | None]:
    rows = list(tx.execute(order.apply(statement, token).limit(size + 1)).all())
    return rows[:size], order.token(rows[size - 1]) if len(rows) > size else None


def _condition(tx: Tx, query: RunQuery, *, anywhere: bool = False) -> ColumnElement[bool] | None:
    """None where nothing can be found: a search without experiments, unless it may look ``anywhere``."""
    tree = parse_filter(query.filter, RUNS)
    limits.check_ids(query.experiment_ids, "experiment_ids")
    limits.check_ids(query.run_ids or (), "run_ids")
    ids = sorted({experiment_store.inner_id(id_) for id_ in query.experiment_ids})
    if not ids and query.run_ids is None and not anywhere:
        return None
    condition = _in_view(schema.runs, query.view) & Conditions(tx, schema.runs).of(tree)
    if ids:
        condition &= schema.runs.c.experiment.in_(ids)
    if query.run_ids is not None:
        condition &= schema.runs.c.run_id.in_(list(filter(limits.is_storable, query.run_ids)))
    return condition


def _in_view(table: Any, view: ViewType) -> ColumnElement[bool]:
    if view is ViewType.ALL:
        return literal(True)
    deleted: ColumnElement[bool] = table.c.deleted.is_(view is ViewType.DELETED_ONLY)
    return deleted


@dataclass(frozen=True, slots=True)
class _Ordered:
    """The tables that an order reads, the order, and what binds the tables beyond their joins."""

    source: Any
    order: Order
    bound: ColumnElement[bool]

    def select(self, condition: ColumnElement[bool]) -> Select[Any]:
        chosen = select(schema.runs, *self.order.columns()).select_from(self.source)
        return chosen.where(self.bound, condition)


def _order(tx: Tx, wanted: Sequence[OrderBy], *, by_size: bool, experiment: int | None = None) -> _Ordered:
    """An order of runs; ties go to the newest run, then to the id.

    With ``experiment`` the first field must be a metric: its numbers in that experiment lead, by the value index.
    """
    source: Any = schema.runs
    keys: list[SortKey] = []
    bound: ColumnElement[bool] = literal(True)
    for place, field in enumerate(wanted):
        if field.key.kind is Kind.ATTRIBUTE:
            keys += _attribute_keys(field)
            continue
        id_ = tx.known_names([field.key.name]).get(field.key.name, -1)
        tables = {Kind.METRIC: schema.latest, Kind.PARAM: schema.params, Kind.TAG: schema.tags}
        table = tables[field.key.kind].alias()
        if experiment is not None and place == 0:
            source = table.join(schema.runs, schema.runs.c.id == table.c.run)
            bound = (table.c.experiment == experiment) & (table.c.key == id_) & (table.c.value < ordinal.NAN)
            keys += [SortKey(literal(0), constant=True), SortKey(table.c.value, field.ascending)]
            continue
        source = source.outerjoin(table, (table.c.run == schema.runs.c.id) & (table.c.key == id_))
        if by_size and field.key.kind is Kind.PARAM:
            keys += _size_keys(table.c.number, field)
        keys += _value_keys(table.c.value, field)
    keys += [SortKey(schema.runs.c.start_time, False), SortKey(schema.runs.c.run_id)]
    return _Ordered(source, Order(keys, repr((wanted, by_size))), bound)


def _value_keys(column: Any, field: OrderBy) -> list[SortKey]:
    """Numbers, then NaN, then what is absent: in both directions."""
    if field.key.kind is Kind.METRIC:
        return _size_keys(column, field)
    rank = case((column.is_(None), 1), else_=0)
    return [SortKey(rank), SortKey(func.coalesce(column, ""), field.ascending)]


def _size_keys(column: Any, field: OrderBy) -> list[SortKey]:
    """Numbers by size, then NaN, then whatever is no number."""
    rank = case((column.is_(None), 2), (column == ordinal.NAN, 1), else_=0)
    return [SortKey(rank), SortKey(func.coalesce(column, 0), field.ascending)]


def _attribute_keys(field: OrderBy) -> list[SortKey]:
    name, table = field.key.name, schema.runs.c
    if name == "end_time":
        absent = case((table.end_time.is_(None), 1), else_=0)
        return [SortKey(absent), SortKey(func.coalesce(table.end_time, 0), field.ascending)]
    if name == "status":
        rank = {status.wire: position for position, status in enumerate(sorted(RunStatus))}
        return [SortKey(case(rank, value=table.status, else_=literal(0, Integer)), field.ascending)]
    if name == "artifact_uri":
        return [SortKey(artifact_uri(), field.ascending)]
    columns = {"run_name": table.name, "experiment_id": table.experiment}
    return [SortKey(columns[name] if name in columns else table[name], field.ascending)]
