"""Query results in columns: the database packs each column into one JSON text.

A page of 100 whole runs has thousands of short rows. Python's driver steps through them one by one, and gives the
interpreter's lock away and takes it back for each; one row of a few long texts costs half of that, and less than a
third where other threads want the lock too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, CompoundSelect, Select, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from logbuch.store.query.among import as_value
from logbuch.store.query.prepared import Prepared
from logbuch.store.tx import Tx

Columns = list[list[Any]]
"""Parallel lists, in no particular order."""

_decoder = msgspec.json.Decoder(list[Any])
_ids_decoder = msgspec.json.Decoder(list[int])


class _Packed(FunctionElement[str]):
    """All values of a column as a JSON array; NULL or an empty array where there is no row."""

    name = "packed"
    inherit_cache = True


@compiles(_Packed, "sqlite")
def _sqlite(element: _Packed, compiler: Any, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


@compiles(_Packed, "postgresql")
def _postgres(element: _Packed, compiler: Any, **options: Any) -> str:
    return f"CAST(json_agg({compiler.process(element.clauses, **options)}) AS text)"


def ids_of(rows: Sequence[Sequence[str | None]]) -> list[int]:
    """The integers in the answer to a :func:`packed` query of one column."""
    text = rows[0][0]
    return [] if text is None else _ids_decoder.decode(text)


def fetch(tx: Tx, query: Select[Any]) -> Columns:
    """The columns of a query, which have to be integers and texts."""
    return _decoded(tx.execute(packed(query)).one())


class OfRuns:
    """Columns of a table for given runs, whose inner ids the first one holds; compiled once for each database."""

    def __init__(self, *columns: Column[Any]) -> None:
        self._columns = columns
        self._compiled: dict[str, Prepared] = {}

    def fetch(self, tx: Tx, runs: Iterable[int]) -> Columns:
        """The columns of the query for these runs."""
        dialect = tx.connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            query = tx.seam.of_given(select(*self._columns), self._columns[0])
            compiled = self._compiled[dialect.name] = Prepared(packed(query), dialect)
        return _decoded(compiled.rows(tx, ids=as_value(runs))[0])


def packed(query: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    """The query whose one row holds the columns of another, each as a text."""
    wanted: list[Any] = [_Packed(column) for column in query.subquery().columns]
    return select(*wanted)


def _decoded(row: Iterable[str | None]) -> Columns:
    return [[] if text is None else _decoder.decode(text) for text in row]
