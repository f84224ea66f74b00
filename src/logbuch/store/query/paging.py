"""Keyset pages: the token names the last row of a page, so that page 1,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, union_all

from logbuch.errors import InvalidInput
from logbuch.limits import INT64_MAX, INT64_MIN, is_storable
from logbuch.store.query.prepared import variable
from logbuch.store.tx import Tx


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order. It is never NULL: what may be absent is given as a rank column before the value."""

    column: ColumnElement[Any]
    ascending: bool = True
    constant: int | None = None
    """What it is in every row, if it is the same: then it stands in tokens, and need not be sorted by."""


class Order:
    """A total order of rows: its last key is unique."""

    def __init__(self, keys: Sequence[SortKey], name: str) -> None:
        self.keys = keys
        self._name = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    def columns(self) -> list[ColumnElement[Any]]:
        """The order's columns, to be selected so that tokens can be made."""
        return [key.column.label(f"sort_{index}") for index, key in enumerate(self.keys)]

    def apply(self, query: Select[Any], token: str) -> Select[Any]:
        """The query in this order, from after the token's row on."""
        if token:
            query = query.where(self._after(self.values(token)))
        return self._sorted(query)

    def prepared(self, query: Select[Any], *, after: bool, skip: bool = False) -> Select[Any]:
        """The query in this order, whose variable ``size`` is the number of rows; with ``after`` also :meth:`place`,
        with ``skip`` a variable of that name for the number of rows that are left out before them."""
        if after:
            query = query.where(
                self._after([variable(f"after_{i}", key.column.type) for i, key in enumerate(self.keys)])
            )
        found = self._sorted(query).limit(variable("size"))
        return found.offset(variable("skip")) if skip else found

    def merged(self, queries: Sequence[Select[Any]], *, after: bool, skip: bool = False) -> Select[Any]:
        """The same of several queries together, of which each finds other rows: no more is read of any than of all."""
        most = variable("size") + variable("skip") if skip else variable("size")
        parts = [self.prepared(query, after=after).limit(None).limit(most).subquery() for query in queries]
        found = union_all(*(select(part) for part in parts)).subquery("merged")
        ordered = [(found.c[f"sort_{index}"], key) for index, key in enumerate(self.keys) if key.constant is None]
        query = select(found).order_by(*(column.asc() if key.ascending else column.desc() for column, key in ordered))
        query = query.limit(variable("size"))
        return query.offset(variable("skip")) if skip else query

    def place(self, token: str) -> dict[str, Any]:
        """The variables of a :meth:`prepared` query that begins after a token's row."""
        return {f"after_{index}": value for index, value in enumerate(self.values(token))}

    def _sorted(self, query: Select[Any]) -> Select[Any]:
        sorted_by = [key for key in self.keys if key.constant is None]
        return query.order_by(*(key.column.asc() if key.ascending else key.column.desc() for key in sorted_by))

    def token(self, row: Any) -> str:
        """The token of the page that begins after this row, which has its :meth:`columns` by their names."""
        return self.token_of([getattr(row, f"sort_{index}") for index in range(len(self.keys))])

    def token_of(self, values: Sequence[Any]) -> str:
        """The token of the page that begins after the row whose :meth:`columns` have these values."""
        return base64.urlsafe_b64encode(json.dumps([self._name, *values]).encode()).decode()

    def _after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """(a, b, c) after (x, y, z): a beyond x, or equal and b beyond y, and so on."""
        pairs = [pair for pair in zip(self.keys, values, strict=True) if pair[0].constant is None]
        terms: list[ColumnElement[bool]] = []
        for index, (key, value) in enumerate(pairs):
            equal = [before.column == its for before, its in pairs[:index]]
            beyond = key.column > value if key.ascending else key.column < value
            terms.append(and_(*equal, beyond))
        # An index cannot seek to a disjunction, but to what all its terms say of the first column.
        first, value = pairs[0]
        seek = first.column >= value if first.ascending else first.column <= value
        return and_(seek, or_(*terms))

    def holds(self, token: str) -> bool:
        """Whether the token's row is one of this order, by its constants."""
        return all(key.constant in (None, value) for key, value in zip(self.keys, self.values(token), strict=True))

    def values(self, token: str) -> list[Any]:
        """The sort values of a token's row; InvalidInput for a token of another order."""
        try:
            name, *values = json.loads(base64.urlsafe_b64decode(token))
        except (ValueError, TypeError, RecursionError, binascii.Error):
            raise _bad_token() from None
        if name != self._name or len(values) != len(self.keys):
            raise _bad_token()
        for key, value in zip(self.keys, values, strict=True):
            if not isinstance(value, key.column.type.python_type) or isinstance(value, bool) or not _storable(value):
                raise _bad_token()
        checked: list[Any] = values
        return checked


def fetch_page(tx: Tx, query: Select[Any], order: Order, size: int, token: str) -> tuple[list[Row[Any]], str | None]:
    """One page of a query's rows, from after the token's row on, and the token of the next page."""
    rows = list(tx.execute(order.apply(query.add_columns(*order.columns()), token).limit(size + 1)).all())
    return rows[:size], order.token(rows[size - 1]) if len(rows) > size else None


def _storable(value: Any) -> bool:
    return is_storable(value) if isinstance(value, str) else INT64_MIN <= value <= INT64_MAX


def _bad_token() -> InvalidInput:
    return InvalidInput("Invalid value for parameter 'page_token': it belongs to another search or is no token at all.")
