"""Statements that are compiled once and executed many times, with other values.

To put an expression together costs SQLAlchemy as much as the database takes for a small answer, and to look its text
up among the compiled ones about as much again. Rows come as the driver's own tuples, for the same reason: only
for columns that need no conversion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Integer, Select, bindparam
from sqlalchemy.types import TypeEngine

from logbuch.store.tx import Tx

Rows = list[tuple[Any, ...]]
REMEMBERED = 256
LASTING_SECONDS = 5.0


def variable(name: str, type_: TypeEngine[Any] | None = None) -> ColumnElement[Any]:
    """A value that is given when the statement is executed; an integer if nothing else is said."""
    return bindparam(name, None, type_=Integer() if type_ is None else type_)


class Prepared:
    """A query as text, with its constants."""

    def __init__(self, query: Select[Any], dialect: Dialect) -> None:
        compiled: Any = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self._text: str = compiled.string
        self._places: list[str] | None = compiled.positiontup if compiled.positional else None
        self._constants: dict[str, Any] = dict(compiled.params)

    def rows(self, tx: Tx, **values: Any) -> Rows:
        """All rows, for these values of its variables."""
        bound = self._constants | values
        ordered = bound if self._places is None else tuple([bound[name] for name in self._places])
        result: Any = tx.connection.exec_driver_sql(self._text, ordered)
        rows: Rows = result.cursor.fetchall()
        result.close()
        return rows


class Shelf:
    """The statements of one question, each made when it is first wanted."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._made: dict[Hashable, Prepared] = {}
        self._estimates: dict[Hashable, tuple[float, Rows]] = {}

    def __call__(self, name: Hashable, build: Callable[[], Select[Any]]) -> Prepared:
        """The statement of this name; ``build`` makes it."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = Prepared(build(), self._dialect)
        return made

    def estimate(self, tx: Tx, name: Hashable, statement: Prepared, **values: Any) -> Rows:
        """What the statement answered, now or a short while ago: good enough to choose a plan by."""
        known = self._estimates.get(name)
        if known is None or time.monotonic() - known[0] > LASTING_SECONDS:
            rows = statement.rows(tx, **values)
            known = self._estimates[name] = (time.monotonic(), rows)  # only now: a slow answer is to last as long
        return known[1]


class Shelves:
    """What was asked last, so that it need not be put together again: the next page, or the same after a change."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Shelf] = {}

    def of(self, question: Hashable, dialect: Dialect) -> Shelf:
        """The shelf of a question, which says everything that its statements depend on."""
        key = (dialect.name, question)
        shelf = self._kept.get(key)
        if shelf is None:
            if len(self._kept) >= REMEMBERED:
                self._kept.clear()
            shelf = self._kept[key] = Shelf(dialect)
        return shelf
