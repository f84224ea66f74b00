"""Finding the few runs that a filter can match, where they are few.

A search in the order of an index asks run after run until its page is full: nothing is faster where many runs match,
and nothing slower where hardly any does. Then the value indexes know the runs: each comparison gives its set, and the
filter's tree joins and intersects the sets. What comes out holds every match; where it may hold more, it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from logbuch.filter import And, Compare, IsNull, Node, Not, Or
from logbuch.store import columns
from logbuch.store.conditions import Conditions
from logbuch.store.members import Members, members
from logbuch.store.tx import Tx

FEW = 200
"""So few candidates need no further narrowing: to ask them costs less than to read another set."""
MORE = 8
"""So many times more runs than are wanted are read of a set that is to be intersected with others."""


class Found(NamedTuple):
    """Inner ids of runs: all matches of a filter, and no others if ``exact``."""

    ids: set[int]
    exact: bool


class _Source(Protocol):
    """A part of the filter that indexes can answer."""

    def upto(self, limit: int, *, scan: bool) -> Found | None:
        """The runs, if they are at most ``limit``; without ``scan`` only ranges of an index are read."""

    def leaves(self) -> Iterator[_Leaf]: ...


class _Leaf:
    """One comparison."""

    def __init__(self, tx: Tx, found: Members) -> None:
        self.ranged = found.ranged
        self._tx = tx
        self._query = found.query
        self._found: Found | None = None

    def upto(self, limit: int, *, scan: bool) -> Found | None:
        if self._found is None and (self.ranged or scan):
            (ids,) = columns.fetch(self._tx, self._query.limit(limit + 1))
            self._found = Found(set(ids), exact=True) if len(ids) <= limit else None
        return self._found

    def leaves(self) -> Iterator[_Leaf]:
        yield self


class _All:
    """AND: what some of the parts know is enough. ``whole`` says that there are no others."""

    def __init__(self, parts: Sequence[_Source], *, whole: bool) -> None:
        self._parts = parts
        self._whole = whole

    def upto(self, limit: int, *, scan: bool) -> Found | None:
        known: Found | None = None
        for place, part in enumerate(self._parts):
            found = part.upto(limit, scan=scan)
            so_far = self._whole if place == 0 else known is not None and known.exact
            if found is None:
                known = None if known is None else Found(known.ids, exact=False)
            else:
                ids = found.ids if known is None else known.ids & found.ids
                known = Found(ids, exact=so_far and found.exact)
            if known is not None and len(known.ids) <= FEW:
                return known if place == len(self._parts) - 1 else Found(known.ids, exact=False)
        return known

    def leaves(self) -> Iterator[_Leaf]:
        return (leaf for part in self._parts for leaf in part.leaves())


class _Any:
    """OR: every part has to know."""

    def __init__(self, parts: Sequence[_Source]) -> None:
        self._parts = parts

    def upto(self, limit: int, *, scan: bool) -> Found | None:
        known = Found(set(), exact=True)
        for part in self._parts:
            found = part.upto(limit - len(known.ids), scan=scan)
            if found is None:
                return None
            known = Found(known.ids | found.ids, known.exact and found.exact)
        return known

    def leaves(self) -> Iterator[_Leaf]:
        return (leaf for part in self._parts for leaf in part.leaves())


def find(
    tx: Tx, conditions: Conditions, tree: Node, experiments: Sequence[int], limit: int, rare: Callable[[], bool]
) -> Found | None:
    """At most ``limit`` runs, all matches of the filter among them; None where they may be more.

    First only ranges of indexes are read. Where that tells too little, ``rare`` is asked whether it is worth the while
    to go through all values of a key, and to intersect sets that are larger than what is wanted.
    """
    source = _source(tx, conditions, tree, experiments)
    if source is None:
        return None
    leaves = list(source.leaves())
    found = source.upto(limit, scan=False)
    if found is not None or (len(leaves) == 1 and leaves[0].ranged) or not rare():
        return found
    found = source.upto(limit * MORE if len(leaves) > 1 else limit, scan=True)
    return found if found is not None and len(found.ids) <= limit else None


def _source(tx: Tx, conditions: Conditions, node: Node, experiments: Sequence[int]) -> _Source | None:
    match node:
        case And(terms):
            some = [part for term in terms if (part := _source(tx, conditions, term, experiments)) is not None]
            return _All(sorted(some, key=_has_scans), whole=len(some) == len(terms)) if some else None
        case Or(terms):
            every = [_source(tx, conditions, term, experiments) for term in terms]
            known = [part for part in every if part is not None]
            return _Any(known) if len(known) == len(every) else None
        case Not():
            return None
        case Compare() | IsNull():
            found = members(conditions, node, experiments)
            return None if found is None else _Leaf(tx, found)


def _has_scans(source: _Source) -> bool:
    return not all(leaf.ranged for leaf in source.leaves())
