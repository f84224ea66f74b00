"""``column IN (many ids)`` with one bound value, however many ids there are.

A bound value for each id would make a new statement for every number of ids, and SQLite takes no more than 32,766.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean


class _Among(FunctionElement[bool]):
    """Whether a column is one of the numbers of a JSON array."""

    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002
        """It is a condition as it stands. Compared with 1, as SQLite's dialect does with booleans, it uses no index."""
        return self


def among(column: ColumnElement[Any], ids: Iterable[int]) -> ColumnElement[bool]:
    """Whether a column's value is one of these ids."""
    return _Among(column, literal(as_value(ids), Text))


def given(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same in a statement that is made once; its parameter ``ids`` takes :func:`as_value`."""
    return _Among(column, given_ids())


def given_ids() -> ColumnElement[str]:
    """The parameter ``ids`` of a statement that is made once."""
    return bindparam("ids", None, type_=Text)


def as_value(ids: Iterable[int]) -> str:
    """Ids as one bound value."""
    return json.dumps(list(ids))


@compiles(_Among, "sqlite")
def _sqlite(element: _Among, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608  bound values' marks


@compiles(_Among, "postgresql")
def _postgres(element: _Among, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY (CAST(translate({ids}, '[]', '{{}}') AS bigint[]))"
