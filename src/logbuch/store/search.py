"""Searching runs and experiments: a tree of conditions, an order, one page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, literal, not_, select

from logbuch import limits
from logbuch.filter import (
    EXPERIMENTS,
    RUNS,
    And,
    Compare,
    IsNull,
    Key,
    Kind,
    Node,
    Not,
    Or,
    OrderBy,
    Part,
    parse_filter,
    parse_order_by,
)
from logbuch.model import Experiment, Run, ViewType
from logbuch.store import experiments as experiment_store
from logbuch.store import runs as run_store
from logbuch.store import schema
from logbuch.store.heads import RunRow
from logbuch.store.plans import candidates
from logbuch.store.plans.conditions import TABLES, Condition, Conditions
from logbuch.store.plans.leads import by_name, comparisons, leads, left_over
from logbuch.store.plans.members import NAME, Members, members
from logbuch.store.plans.orders import NEWEST_FIRST, Ordered, ordered
from logbuch.store.query.among import among_texts, as_value, given
from logbuch.store.query.paging import Order, SortKey, fetch_page
from logbuch.store.query.prepared import Shelf, Shelves
from logbuch.store.tx import Tx

MANY_RUNS = 1000
"""In a store with fewer runs no plan is better than to ask them all."""
SAMPLE = 500
OTHERS_PASSED = 4
"""Of so many entries of a value index at least one is to be a run of the experiment that is read in its order."""
ASKED_AGAIN = 1000
"""Longer questions, in characters, are not expected to be asked again."""
_RUN_COLUMNS = len(RunRow._fields)
_shelves = Shelves()


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


def page(tx: Tx, query: RunQuery, max_results: int, page_token: str = "") -> tuple[list[RunRow], str | None]:
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
        limits.check_ids(query.run_ids or (), "run_ids", limits.RUN_IDS_PER_SEARCH)
        self._experiments = sorted({experiment_store.inner_id(id_) for id_ in query.experiment_ids})
        self._wanted = parse_order_by(query.order_by, RUNS)
        self._keys = tx.known_names({key.name for key in _keys(self._tree, self._wanted)})
        self._conditions = Conditions(tx.seam, schema.runs, self._keys)
        self._probes = Conditions(tx.seam, schema.runs, self._keys, probing=True)
        self._statements = self._shelf()
        self._few: candidates.Found | None = None

    def _shelf(self) -> Shelf:
        """Where the statements of this question stand. Long lists are nobody's second question."""
        query, dialect = self._query, self._tx.connection.dialect
        length = len(query.filter) + sum(map(len, query.order_by)) + 20 * len(self._experiments)
        if query.run_ids is not None or length > ASKED_AGAIN:
            return Shelf(dialect)
        keys = tuple(sorted(self._keys.items()))
        # The texts, not the trees: NaN does not equal itself.
        asked = (query.filter, tuple(query.order_by), tuple(self._experiments), query.view, query.by_size, keys)
        return _shelves.of(asked, dialect)

    @functools.cached_property
    def _anywhere(self) -> Condition:
        """What holds of the runs that are sought, but for their experiments."""
        return self._sought(self._conditions)

    @functools.cached_property
    def _asked(self) -> Condition:
        """The same, to be asked of one run after the other."""
        return self._sought(self._probes)

    def _sought(self, conditions: Conditions) -> Condition:
        condition = _in_view(schema.runs, self._query.view) & conditions.of(self._tree)
        if self._query.run_ids is not None:
            condition &= among_texts(schema.runs.c.run_id, filter(limits.is_storable, self._query.run_ids))
        return condition

    @property
    def condition(self) -> Condition | None:
        """What holds of the runs that are sought; None for a search without experiments, which finds nothing."""
        if self._finds_nothing:
            return None
        return self._of_ours(self._anywhere)

    def _of_ours(self, condition: Condition) -> Condition:
        return and_(schema.runs.c.experiment.in_(self._experiments), condition) if self._experiments else condition

    @property
    def _finds_nothing(self) -> bool:
        return not self._experiments and self._query.run_ids is None

    def page(self, size: int, token: str = "", skip: int = 0) -> tuple[list[RunRow], str | None]:
        """One page of rows of the table of runs, and the token of the next page.

        ``skip`` leaves out that many rows first, as a scroll bar needs it. It costs by their number; a token does not.
        """
        limits.check_page_size(size, "max_results", limits.RUNS_PER_PAGE)
        limits.check_offset(skip, token)
        if self._finds_nothing:
            return [], None
        by_value, listing = self._leads(), self._is_listing(self._wanted)
        self._few = self._candidates(size, streamed=by_value or listing)
        if self._few is not None:
            # With none at all the token still has to be looked at.
            plan = "exact" if self._few.exact else "few"
            return self._read(plan, self._plain, self._of_few, size, token, skip, ids=as_value(self._few.ids))
        if by_value:
            return self._page_by_value(size, token, skip)
        found = functools.partial(self._of_ours, self._asked) if listing else self._of_all
        return self._read("all", self._listed if listing else self._plain, found, size, token, skip)

    def count(self) -> int:
        """How many runs are found, of all pages together."""
        if self._finds_nothing:
            return 0
        if self._few is None:
            self._few = self._candidates(0, streamed=False)
        if self._few is not None:
            plan = "exact" if self._few.exact else "few"
            counted = self._statements(("count", plan), lambda: _count_where(self._of_few()))
            return int(counted.rows(self._tx, ids=as_value(self._few.ids))[0][0])
        return int(self._statements(("count", "all"), self._count_all).rows(self._tx)[0][0])

    # -- plans: see docs/decisions/0007 ------------------------------------------------------------------------------

    def _is_listing(self, wanted: Sequence[OrderBy]) -> bool:
        """Whether an index gives this order, so that a page ends as soon as it is full."""
        indexed = not wanted or wanted[0].key in (NEWEST_FIRST.key, NAME)
        return indexed and len(self._experiments) == 1 and self._query.view is not ViewType.ALL

    def _leads(self) -> bool:
        """Whether runs are read by the value index of what they are ordered by."""
        if len(self._experiments) != 1 or not self._wanted or self._query.run_ids is not None:
            return False
        key = self._wanted[0].key
        if key.kind is Kind.METRIC:
            return key.part is Part.LAST
        if key.kind not in TABLES:
            return False
        # The index of params and tags knows no experiments: those of others are in the way.
        entries, ours = self._statements.estimate(self._tx, "share", self._statements("share", self._share))[0]
        return int(entries) <= OTHERS_PASSED * int(ours)

    def _share(self) -> Select[Any]:
        """How many runs of all experiments have the key that is ordered by, as far as it matters; how many are ours."""
        key = self._wanted[0].key
        table = TABLES[key.kind].c
        ours = select(func.count()).where(schema.runs.c.experiment.in_(self._experiments)).scalar_subquery()
        entries = select(table.run).where(table.key == self._keys.get(key.name, -1)).limit(OTHERS_PASSED * ours + 1)
        return select(select(func.count()).select_from(entries.subquery()).scalar_subquery(), ours)

    def _candidates(self, size: int, *, streamed: bool) -> candidates.Found | None:
        """The runs among which all matches are, if they are so few that to ask each of them is the shorter way."""
        if self._tree is None or self._query.run_ids is not None:
            return None
        runs = int(_shelves.of("last run", self._tx.connection.dialect)("", _last_run).rows(self._tx)[0][0])
        if runs < MANY_RUNS:
            return None
        scale = candidates.Scale(runs, size, streamed)
        rare = functools.partial(self._rare, runs, size) if streamed else lambda: True
        return candidates.find(self._tx, self._statements, self._members, self._tree, scale, rare)

    def _members(self, term: Compare | IsNull) -> Members | None:
        return members(self._conditions, term, self._experiments)

    def _rare(self, runs: int, size: int) -> bool:
        """Whether a sample says that to fill a page takes longer than to go through all values of a key."""
        hits = self._statements.estimate(self._tx, "sample", self._statements("sample", self._sample))[0][0]
        return int(hits) * runs < 6 * SAMPLE * size

    def _sample(self) -> Select[Any]:
        table = schema.runs.c
        ours = table.experiment.in_(self._experiments) & _in_view(schema.runs, self._query.view)
        sample = select(table.id).where(ours).limit(SAMPLE)
        if self._is_listing(()):
            sample = sample.order_by(table.start_time.desc())
        return _count_where(self._looked_up(table.id.in_(sample)) & self._asked)

    def _of_all(self) -> Condition:
        condition = self.condition
        assert condition is not None
        return condition

    def _of_few(self) -> Condition:
        assert self._few is not None
        rest = _in_view(schema.runs, self._query.view) if self._few.exact else self._asked
        return self._looked_up(given(schema.runs.c.id)) & rest

    def _looked_up(self, by_id: Condition) -> Condition:
        """A condition that names runs by their ids. The sum keeps the planner from reading the listing instead."""
        return and_(by_id, (schema.runs.c.experiment + 0).in_(self._experiments))

    def _count_all(self) -> Select[Any]:
        term = self._tree
        single = isinstance(term, Compare | IsNull) and self._query.run_ids is None
        found = self._members(term) if single and isinstance(term, Compare | IsNull) else None
        if found is None or term is None:
            return _count_where(self._of_all())
        runs, seen = schema.runs, _in_view(schema.runs, self._query.view)
        if found.of is not schema.latest:
            return _count_where(self._looked_up(runs.c.id.in_(found.query)) & seen)
        # The value index of metrics knows the experiment: only the runs that are out of view are to be left out.
        unseen = select(runs.c.id).where(runs.c.experiment.in_(self._experiments), not_(seen))
        own = found.query.subquery()
        return select(func.count()).select_from(own).where(own.c.run.not_in(unseen))

    @functools.cached_property
    def _plain(self) -> Ordered:
        return ordered(self._keys, self._wanted, by_size=self._query.by_size)

    @functools.cached_property
    def _listed(self) -> Ordered:
        """The same order, as an index gives it."""
        if not self._wanted or self._wanted[0].key != NAME:
            return self._plain
        lead = by_name(self._wanted[0], self._tx.seam)
        return ordered(self._keys, self._wanted, by_size=self._query.by_size, lead=lead)

    @functools.cached_property
    def _leading(self) -> list[Ordered]:
        """What value indexes give of the order, one part after the other."""
        by_size, field = self._query.by_size, self._wanted[0]
        tests = [self._conditions.test(term) for term in comparisons(self._tree, field)]
        parts = leads(self._keys, field, tests, by_size=by_size, experiment=self._experiments[0], seam=self._tx.seam)
        return [ordered(self._keys, self._wanted, by_size=by_size, lead=lead) for lead in parts]

    def _page_by_value(self, size: int, token: str, skip: int) -> tuple[list[RunRow], str | None]:
        """A page in the order of values: those that an index has come from it, and only then the runs without one."""
        rows: list[RunRow] = []
        last = ""
        for place, part in enumerate([*self._leading, self._plain]):
            if token and not part.order.holds(token):
                continue
            found, following, end = self._part(
                ("value", place), part, functools.partial(self._of_part, place), max(size - len(rows), 1), token, skip
            )
            if len(rows) == size:
                if found:
                    return rows, last
                continue
            rows += found
            if following is not None:
                return rows, following
            # A token names a row of its own part; what comes after it follows from the start.
            token, last = "", end or last
            skip = 0 if found or not skip else max(0, skip - self._count_of_part(place))
        return rows, None

    def _of_part(self, place: int) -> Condition:
        """What holds of the runs of a part of the order, beyond what binds its tables."""
        if place < len(self._leading):
            # The parts know the experiment already; to say it of the runs too would tempt the planner to begin there.
            return self._asked
        return self._of_all() & left_over(self._plain, self._wanted[0], by_size=self._query.by_size)

    def _count_of_part(self, place: int) -> int:
        """How many runs a part of the order has."""
        part = [*self._leading, self._plain][place]
        statement = self._statements(("count", "value", place), lambda: part.count(self._of_part(place)))
        return int(statement.rows(self._tx)[0][0])

    def _read(
        self,
        plan: Hashable,
        found: Ordered,
        condition: Callable[[], Condition],
        size: int,
        token: str,
        skip: int,
        **values: Any,
    ) -> tuple[list[RunRow], str | None]:
        rows, following, _ = self._part(plan, found, condition, size, token, skip, **values)
        return rows, following

    def _part(
        self,
        plan: Hashable,
        found: Ordered,
        condition: Callable[[], Condition],
        size: int,
        token: str,
        skip: int,
        **values: Any,
    ) -> tuple[list[RunRow], str | None, str]:
        """A page by one plan, the token of the next page if there is one, and the token after the last row."""
        place = found.order.place(token) if token else {}
        statement = self._statements(
            (plan, bool(token), bool(skip)),
            lambda: found.page(condition(), after=bool(token), skip=bool(skip)),
        )
        if skip:
            values["skip"] = skip
        rows = statement.rows(self._tx, size=size + 1, **place, **values)
        last = found.order.token_of(rows[:size][-1][_RUN_COLUMNS:]) if rows else ""
        return [RunRow._make(row[:_RUN_COLUMNS]) for row in rows[:size]], last if len(rows) > size else None, last


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
    statement = select(table).where(_in_view(table, view))
    statement = statement.where(Conditions(tx.seam, table, {}).of(parse_filter(filter, EXPERIMENTS)))
    rows, token = fetch_page(tx, statement, order, max_results, page_token)
    return experiment_store.nouns(tx, rows), token


def _count_where(condition: Condition) -> Select[Any]:
    return select(func.count()).select_from(schema.runs).where(condition)


def _last_run() -> Select[Any]:
    return select(func.coalesce(func.max(schema.runs.c.id), 0))


def _keys(tree: Node | None, wanted: Sequence[OrderBy]) -> Iterator[Key]:
    """The keys that a search names."""
    yield from (field.key for field in wanted)
    match tree:
        case And(terms) | Or(terms):
            yield from (key for term in terms for key in _keys(term, ()))
        case Not(term):
            yield from _keys(term, ())
        case Compare(key) | IsNull(key):
            yield key


def _in_view(table: Any, view: ViewType) -> Condition:
    if view is ViewType.ALL:
        return literal(True)
    deleted: Condition = table.c.deleted.is_(view is ViewType.DELETED_ONLY)
    return deleted
