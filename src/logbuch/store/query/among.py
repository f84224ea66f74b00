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


class _Ids(FunctionElement[int]):
    """The numbers of a JSON array as rows."""

    name = "ids"
    inherit_cache = True


def among(column: ColumnElement[Any], ids: Iterable[int]) -> ColumnElement[bool]:
    """Whether a column's value is one of these ids."""
    return column.op("IN", is_comparison=True)(_Ids(literal(as_value(ids), Text)))


def given(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same in a statement that is made once; its parameter ``ids`` takes :func:`as_value`."""
    return column.op("IN", is_comparison=True)(_Ids(bindparam("ids", None, type_=Text)))


def as_value(ids: Iterable[int]) -> str:
    """Ids as one bound value."""
    return json.dumps(list(ids))


@compiles(_Ids, "sqlite")
def _sqlite(element: _Ids, compiler: Any, **options: Any) -> str:
    array = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({array}))"  # noqa: S608  a bound value's mark


@compiles(_Ids, "postgresql")
def _postgres(element: _Ids, compiler: Any, **options: Any) -> str:
    array = f"CAST({compiler.process(element.clauses, **options)} AS json)"
    return f"(SELECT CAST(value AS bigint) FROM json_array_elements_text({array}))"  # noqa: S608  see above
