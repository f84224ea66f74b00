"""Rows as the driver's own tuples, for results of many rows: SQLAlchemy's rows cost as much as reading them.

Only for columns that need no conversion: integers and texts.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any

from logbuch.store.tx import Tx


def stream(tx: Tx, query: Any, size: int) -> Generator[list[tuple[Any, ...]], None, None]:
    """The rows of a query in parts of at most ``size``, none of them empty. Closing the iterator ends the query."""
    with closing(tx.execute(query)) as result:
        while rows := result.cursor.fetchmany(size):
            yield rows
