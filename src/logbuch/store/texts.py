"""Reading the tables whose rows are a run, a key and a text: params and tags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TypeVar

from sqlalchemy import Table

from logbuch.store.query.columns import Columns, OfRuns

T = TypeVar("T")
_key = attrgetter("key")


def reading(table: Table) -> OfRuns:
    """The columns run, key and value of runs."""
    return OfRuns(table.c.run, table.c.key, table.c.value)


def nouns(found: Columns, names: Mapping[int, str], noun: Callable[..., T]) -> Mapping[int, list[T]]:
    """What was read, as nouns of each run in the order of their keys."""
    made: defaultdict[int, list[T]] = defaultdict(list)
    for run, key, value in zip(*found, strict=True):
        made[run].append(noun(key=names[key], value=value))
    for own in made.values():
        own.sort(key=_key)
    return made
