"""Searching runs and experiments: a tree of conditions, an order, one page."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, func, literal, select

from logbuch import limits
from logbuch.filter import (
    EXPERIMENTS,
    RUNS,
    Compare,
    IsNull,
    Key,
    Kind,
    OrderBy,
    parse_filter,
    parse_order_by,
)
from logbuch.model import Experiment, Run, ViewType
from logbuch.store import candidates, schema
from logbuch.store import experiments as experiment_store
from logbuch.store import runs as run_store
from logbuch.store.among import among
from logbuch.store.conditions import Condition, Conditions
from logbuch.store.members import members
from logbuch.store.orders import NEWEST_FIRST, Ordered, ordered
from logbuch.store.paging import Order, SortKey
from logbuch.store.tx import Tx

MANY_RUNS = 1000
"""In a store with fewer runs no plan is better than to ask them all."""
SAMPLE = 500


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
    return Search(tx, query).page(max_results, page_token)


def condition(tx: Tx, query: RunQuery) -> Condition | None:
    """What holds of exactly those rows of the table of runs that a search finds; None where it can find nothing."""
    return Search(tx, query).condition


class Search:
    """One search of runs in one snapshot: its pages, and how many runs it finds.

    Raises InvalidFilter, or InvalidInput for what else cannot be searched for.
    """

    def __init__(self, tx: Tx, query: RunQuery) -> None:
        self._tx = tx
        self._query = query
        self._tree = parse_filter(query.filter, RUNS)
        limits.check_ids(query.experiment_ids, "experiment_ids")
        limits.check_ids(query.run_ids or (), "run_ids")
        self._experiments = sorted({experiment_store.inner_id(id_) for id_ in query.experiment_ids})
        self._conditions = Conditions(tx, schema.runs)
        self._anywhere = _in_view(schema.runs, query.view) & self._conditions.of(self._tree)
        if query.run_ids is not None:
            self._anywhere &= schema.runs.c.run_id.in_(list(filter(limits.is_storable, query.run_ids)))
        self._few: candidates.Found | None = None

    @property
    def condition(self) -> Condition | None:
        """What holds of the runs that are sought; None for a search without experiments, which finds nothing."""
        if not self._experiments:
            return None if self._query.run_ids is None else self._anywhere
        return and_(schema.runs.c.experiment.in_(self._experiments), self._anywhere)

    def page(self, size: int, token: str = "") -> tuple[list[Row[Any]], str | None]:
        """One page of rows of the table of runs, and the token of the next page."""
        limits.check_page_size(size, "max_results", limits.RUNS_PER_PAGE)
        if self.condition is None:
            return [], None
        wanted = parse_order_by(self._query.order_by, RUNS)
        plain = ordered(self._tx, wanted, by_size=self._query.by_size)
        by_value = len(self._experiments) == 1 and bool(wanted) and wanted[0].key.kind is Kind.METRIC
        self._few = self._candidates(size, streamed=by_value or self._is_listing(wanted))
        if self._few is not None:
            return _page(self._tx, plain.select(self._of(self._few)), plain.order, size, token)
        if by_value:
            return self._page_by_value(wanted, plain, size, token)
        return _page(self._tx, plain.select(self.condition), plain.order, size, token)

    def count(self) -> int:
        """How many runs are found, of all pages together."""
        condition = self.condition
        if condition is None:
            return 0
        if self._few is None:
            self._few = self._candidates(0, streamed=False)
        if self._few is not None:
            condition = self._of(self._few)
        elif (only := self._only_members()) is not None:
            condition = self._looked_up(schema.runs.c.id.in_(only)) & _in_view(schema.runs, self._query.view)
        return int(self._tx.execute(select(func.count()).select_from(schema.runs).where(condition)).scalar_one())

    # -- plans: see docs/decisions/0006 ------------------------------------------------------------------------------

    def _is_listing(self, wanted: Sequence[OrderBy]) -> bool:
        """Whether an index gives this order, so that a page ends as soon as it is full."""
        by_time = not wanted or wanted[0].key == NEWEST_FIRST.key
        return by_time and len(self._experiments) == 1 and self._query.view is not ViewType.ALL

    def _candidates(self, size: int, *, streamed: bool) -> candidates.Found | None:
        """The runs among which all matches are, if they are so few that to ask each of them is the shorter way."""
        if self._tree is None or self._query.run_ids is not None:
            return None
        runs = int(self._tx.execute(select(func.coalesce(func.max(schema.runs.c.id), 0))).scalar_one())
        if runs < MANY_RUNS:
            return None
        # With m matches a page is full after size * runs / m runs; to look up and sort a candidate costs more than to
        # ask a run of the listing, by a factor that was measured. An order without an index asks all runs anyway.
        limit = math.isqrt(size * runs * 3 // 10) if streamed else runs // 4
        rare = functools.partial(self._rare, runs, size) if streamed else lambda: True
        return candidates.find(self._tx, self._conditions, self._tree, self._experiments, limit, rare)

    def _rare(self, runs: int, size: int) -> bool:
        """Whether a sample says that a page would be full only after a tenth of all runs."""
        table = schema.runs
        sample = (
            select(table.c.id)
            .where(table.c.experiment.in_(self._experiments), _in_view(table, self._query.view))
            .limit(SAMPLE)
        )
        if self._is_listing(()):
            sample = sample.order_by(table.c.start_time.desc())
        hits = select(func.count()).select_from(table).where(self._looked_up(table.c.id.in_(sample)), self._anywhere)
        return int(self._tx.execute(hits).scalar_one()) * runs < 10 * SAMPLE * size

    def _of(self, few: candidates.Found) -> Condition:
        rest = _in_view(schema.runs, self._query.view) if few.exact else self._anywhere
        return self._looked_up(among(schema.runs.c.id, few.ids)) & rest

    def _looked_up(self, by_id: Condition) -> Condition:
        """A condition that names runs by their ids. The sum keeps the planner from reading the listing instead."""
        return and_(by_id, (schema.runs.c.experiment + 0).in_(self._experiments))

    def _only_members(self) -> Select[Any] | None:
        """The runs of a filter that is a single comparison, if an index knows them."""
        if not isinstance(self._tree, Compare | IsNull) or self._query.run_ids is not None:
            return None
        found = members(self._conditions, self._tree, self._experiments)
        return None if found is None else found.query

    def _page_by_value(
        self, wanted: Sequence[OrderBy], plain: Ordered, size: int, token: str
    ) -> tuple[list[Row[Any]], str | None]:
        """A page in the order of a metric: numbers come from the value index, and only then the runs without one."""
        rows: list[Row[Any]] = []
        indexed = ordered(self._tx, wanted, by_size=self._query.by_size, experiment=self._experiments[0])
        if not token or indexed.order.values(token)[0] == 0:
            # The index knows the experiment already; to say it of the runs too would tempt the planner to begin there.
            rows, following = _page(self._tx, indexed.select(self._anywhere), indexed.order, size, token)
            if following is not None:
                return rows, following
            token = ""
        rest = plain.select(
            schema.runs.c.experiment.in_(self._experiments) & self._anywhere & (plain.order.keys[0].column != 0)
        )
        left = size - len(rows)
        more, following = _page(self._tx, rest, plain.order, max(left, 1), token)
        if left == 0:
            return rows, indexed.order.token(rows[-1]) if more else None
        return rows + more, following


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


def _page(tx: Tx, statement: Select[Any], order: Order, size: int, token: str) -> tuple[list[Row[Any]], str | None]:
    rows = list(tx.execute(order.apply(statement, token).limit(size + 1)).all())
    return rows[:size], order.token(rows[size - 1]) if len(rows) > size else None


def _in_view(table: Any, view: ViewType) -> Condition:
    if view is ViewType.ALL:
        return literal(True)
    deleted: Condition = table.c.deleted.is_(view is ViewType.DELETED_ONLY)
    return deleted
