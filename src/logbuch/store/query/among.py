"""``column IN (many values)`` with one bound value, however many there are.

A bound value for each would make a new statement for every number of them, and SQLite takes no more than 32,766.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean


class _Within(FunctionElement[bool]):
    """A condition on a column and a JSON array."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002
        """It is a condition as it stands. Compared with 1, as SQLite's dialect does with booleans, it uses no index."""
        return self


class _Among(_Within):
    """Whether a column is one of the numbers of a JSON array."""

    name = "among"
    inherit_cache = True


class _AmongTexts(_Within):
    """Whether a column is one of the texts of a JSON array."""

    name = "among_texts"
    inherit_cache = True


def among(column: ColumnElement[Any], ids: Iterable[int]) -> ColumnElement[bool]:
    """Whether a column's value is one of these ids."""
    return _Among(column, literal(as_value(ids), Text))


def among_texts(column: ColumnElement[str], texts: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column's value is one of these texts, which have to be such as a database can hold."""
    return _AmongTexts(column, literal(json.dumps(list(texts)), Text))


def given(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same in a statement that is made once; its parameter ``ids`` takes :func:`as_value`."""
    return _Among(column, given_ids())


def given_ids() -> ColumnElement[str]:
    """The parameter ``ids`` of a statement that is made once."""
    return bindparam("ids", None, type_=Text)


def as_value(ids: Iterable[int]) -> str:
    """Ids as one bound value."""
    return json.dumps(list(ids))


@compiles(_Within, "sqlite")
def _sqlite(element: _Within, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608  bound values' marks


@compiles(_Among, "postgresql")
def _postgres(element: _Among, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY (CAST(translate({ids}, '[]', '{{}}') AS bigint[]))"


@compiles(_AmongTexts, "postgresql")
def _texts(element: _AmongTexts, compiler: Any, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY (ARRAY(SELECT json_array_elements_text(CAST({texts} AS json))))"
