"""Finding the few runs that a filter can match, where they are few.

A search in the order of an index asks run after run until its page is full: nothing is faster where many runs match,
and nothing slower where hardly any does. Then the value indexes know the runs: each comparison gives its set, and the
filter's tree joins and intersects the sets. What comes out holds every match; where it may hold more, it says so.

Which of the two is the shorter way is told by counting: what a value index holds of a comparison is counted up to a
cap, at 0.03 microseconds an entry. See docs/decisions/0007.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Select, func, select

from logbuch.filter import And, Compare, IsNull, Node, Not, Or
from logbuch.store.plans.members import Members
from logbuch.store.query import columns
from logbuch.store.query.prepared import Prepared, Shelf, variable
from logbuch.store.tx import Tx

FEW = 200
"""So few candidates need no further narrowing: to ask them costs less than to read another set."""
COUNTED_LEAVES = 16
READ, LOOKED_UP = 0.3, 3.0
"""What it costs to read an id, and to look up and sort a run, measured in runs of a listing that are asked."""


Knows = Callable[[Compare | IsNull], Members | None]


class Found(NamedTuple):
    """Inner ids of runs: all matches of a filter, and no others if ``exact``."""

    ids: Collection[int]
    exact: bool


class Estimate(NamedTuple):
    """How many runs match, how many ids are to be read to find them by indexes, and how many candidates come out."""

    matches: float
    reads: float
    found: float


@dataclass(frozen=True, slots=True)
class Scale:
    """``runs`` there are; a page of ``size`` is wanted, in an order that an index gives if ``streamed``."""

    runs: int
    size: int
    streamed: bool

    def asked(self, matches: float) -> float:
        """How many runs a search asks that goes from run to run, if so many match."""
        return min(self.runs, self.size * self.runs / max(matches, 1)) if self.streamed else self.runs

    def cap(self, comparisons: int) -> int:
        """More entries of one comparison need not be counted: to go from run to run is shorter, but by the others."""
        alone = math.isqrt(int(self.size * self.runs / LOOKED_UP)) if self.streamed else self.runs // 4
        return alone if comparisons == 1 else min(8 * alone, self.runs // 4)


class _Source(Protocol):
    """A part of the filter that indexes can answer."""

    def estimate(self, runs: int) -> Estimate: ...

    def read(self, tx: Tx) -> Found | None:
        """The runs; None from a part that indexes cannot answer at a reasonable cost."""

    def leaves(self) -> Iterator[_Leaf]: ...


@dataclass(slots=True)
class _Leaf:
    """One comparison. ``entries`` is how many an index holds of it, as far as that was counted; None for too many."""

    members: Members
    statement: Prepared
    entries: int | None = None
    cap: int = 0
    ids: list[int] | None = None

    def estimate(self, runs: int) -> Estimate:
        if self.entries is None:
            return Estimate(self.cap or runs, math.inf, math.inf)
        return Estimate(self.entries, self.entries, self.entries)

    def read(self, tx: Tx) -> Found | None:
        if self.entries is None:
            return None
        if self.ids is None:
            self._read(tx, self.cap)
        if self.ids is None:
            return None
        return Found(self.ids, exact=True)

    def scan(self, tx: Tx, cap: int) -> None:
        """Goes through all values of a key: to count them apart from reading them would take as long again."""
        self.cap = cap
        self._read(tx, cap)
        self.entries = None if self.ids is None else len(self.ids)

    def _read(self, tx: Tx, most: int) -> None:
        ids = columns.ids_of(self.statement.rows(tx, size=most + 1))
        self.ids = ids if len(ids) <= most else None

    def leaves(self) -> Iterator[_Leaf]:
        yield self


@dataclass(slots=True)
class _All:
    """AND: what some of the parts know is enough. ``whole`` says that there are no others."""

    parts: Sequence[_Source]
    whole: bool

    def estimate(self, runs: int) -> Estimate:
        estimates = [part.estimate(runs) for part in self.parts]
        known = [estimate for estimate in estimates if estimate.reads < math.inf]
        matches = runs * math.prod(estimate.matches / runs for estimate in estimates)
        if not known:
            return Estimate(matches, math.inf, math.inf)
        found = runs * math.prod(estimate.found / runs for estimate in known)
        return Estimate(matches, sum(estimate.reads for estimate in known), found)

    def read(self, tx: Tx) -> Found | None:
        known: Found | None = None
        exact = self.whole
        parts = sorted(self.parts, key=lambda part: part.estimate(1).reads)
        for place, part in enumerate(parts):
            found = part.read(tx)
            if found is None:
                exact = False
                continue
            exact = exact and found.exact
            known = Found(found.ids if known is None else set(known.ids).intersection(found.ids), exact)
            if len(known.ids) <= FEW:
                return Found(known.ids, exact and place == len(parts) - 1)
        return None if known is None else Found(known.ids, exact)

    def leaves(self) -> Iterator[_Leaf]:
        return (leaf for part in self.parts for leaf in part.leaves())


@dataclass(slots=True)
class _Any:
    """OR: every part has to know."""

    parts: Sequence[_Source]

    def estimate(self, runs: int) -> Estimate:
        estimates = [part.estimate(runs) for part in self.parts]
        matches, reads, found = (sum(column) for column in zip(*estimates, strict=True))
        return Estimate(min(matches, runs), reads, min(found, runs) if found < math.inf else found)

    def read(self, tx: Tx) -> Found | None:
        ids: set[int] = set()
        exact = True
        for part in self.parts:
            found = part.read(tx)
            if found is None:
                return None
            ids.update(found.ids)
            exact = exact and found.exact
        return Found(ids, exact)

    def leaves(self) -> Iterator[_Leaf]:
        return (leaf for part in self.parts for leaf in part.leaves())


def find(tx: Tx, shelf: Shelf, known: Knows, tree: Node, scale: Scale, rare: Callable[[], bool]) -> Found | None:
    """The runs among which all matches are, if that is the shorter way; None if it is not.

    ``known`` tells which runs an index knows together; ``shelf`` keeps the statements of this filter. ``rare`` is asked
    whether hardly any run matches, where only going through all values of a key could tell.
    """
    source = _source(known, shelf, tree, itertools.count())
    if source is None:
        return None
    leaves = list(source.leaves())
    ranged = [leaf for leaf in leaves if leaf.members.ranged]
    _count(tx, shelf, ranged[:COUNTED_LEAVES], scale.cap(len(leaves)))
    if _is_shorter(source.estimate(scale.runs), scale):
        return source.read(tx)
    scans = [leaf for leaf in leaves if not leaf.members.ranged]
    if not scans or not rare():
        return None
    for leaf in scans[:COUNTED_LEAVES]:
        leaf.scan(tx, scale.cap(1))
    return source.read(tx) if _is_shorter(source.estimate(scale.runs), scale) else None


def _is_shorter(estimate: Estimate, scale: Scale) -> bool:
    return estimate.reads * READ + estimate.found * LOOKED_UP < scale.asked(estimate.matches)


def _count(tx: Tx, shelf: Shelf, leaves: Sequence[_Leaf], cap: int) -> None:
    if not leaves:
        return

    def counts() -> Select[Any]:
        rows = [leaf.members.query.limit(variable("size")).subquery() for leaf in leaves]
        return select(*[select(func.count()).select_from(own).scalar_subquery() for own in rows])

    (found,) = shelf.estimate(tx, ("counts", cap), shelf("counts", counts), size=cap + 1)
    for leaf, count in zip(leaves, found, strict=True):
        leaf.entries, leaf.cap = (int(count) if count <= cap else None), cap


def _source(known: Knows, shelf: Shelf, node: Node, places: Iterator[int]) -> _Source | None:
    match node:
        case And(terms):
            some = [part for term in terms if (part := _source(known, shelf, term, places)) is not None]
            return _All(some, whole=len(some) == len(terms)) if some else None
        case Or(terms):
            every = [_source(known, shelf, term, places) for term in terms]
            sources = [part for part in every if part is not None]
            return _Any(sources) if len(sources) == len(every) else None
        case Not():
            return None
        case Compare() | IsNull():
            found = known(node)
            if found is None:
                return None
            query = found.query
            return _Leaf(found, shelf(("ids", next(places)), lambda: columns.packed(query.limit(variable("size")))))
