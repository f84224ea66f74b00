"""Conditions on nouns whose params, tags and metrics stand in tables of their own, under the text of their key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, exists, select

from logbuch.filter import Compare, Key, Kind
from logbuch.store.plans.conditions import Condition, Conditions, Test, matches
from logbuch.store.seam import Seam


@dataclass(frozen=True, slots=True)
class Own:
    """A table of keys and values. ``owner`` is its column with the noun's inner id; ``also`` what else must hold."""

    table: Table
    owner: str
    also: Callable[[Any], Condition] | None = None


class OwnTables(Conditions):
    """Turns trees into conditions on a table whose attributes are ``columns``.

    ``words`` are attributes that the table keeps as numbers: which number each of the few texts has.
    """

    def __init__(
        self,
        seam: Seam,
        entity: Table,
        columns: Mapping[str, Any],
        own: Mapping[Kind, Own],
        words: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        super().__init__(seam, entity, {})
        self._columns = columns
        self._own = own
        self._words = words or {}

    def _column(self, name: str) -> Any:
        return self._columns[name]

    def _attribute(self, term: Compare) -> Condition:
        words = self._words.get(term.key.name)
        if words is None:
            return super()._attribute(term)
        found: Condition = self._columns[term.key.name].in_([n for word, n in words.items() if matches(word, term)])
        return found

    def _keyed(self, key: Key, test: Test) -> Condition:
        own = self._own[key.kind]
        rows = own.table.alias()
        same = select(1).where(rows.c[own.owner] == self._entity.c.id, rows.c.key == key.name, test(rows.c))
        if own.also is not None:
            same = same.where(own.also(rows.c))
        return exists(same.correlate(self._entity))
