"""Looking a database over: whether the file is whole, whether all points can be read, and what refers to nothing.

Nothing is changed. What SQLite and PostgreSQL check by themselves is left to them.
"""

from __future__ import annotations

from sqlalchemy import Column, Table, func, select

from logbuch.model import Noun
from logbuch.store import schema
from logbuch.store.metrics import blocks
from logbuch.store.metrics.points import split_arrivals
from logbuch.store.tx import Tx

ROWS_AT_ONCE = 500
_COUNTED = ("experiments", "runs", "params", "tags", "datasets", "latest", "journals", "refusals")


class Sums(Noun, frozen=True, kw_only=True):
    """How much a database holds: rows by table, points, and points that wait in the log."""

    rows: dict[str, int]
    points: int
    waiting: int


class Found(Noun, frozen=True, kw_only=True):
    """One thing that is wrong."""

    what: str


def integrity(tx: Tx) -> list[Found]:
    """What the database says of its own file."""
    return [Found(what=text) for text in tx.seam.faults(tx.connection)]


def sums(tx: Tx) -> Sums:
    tables = schema.metadata.tables
    rows = {
        name: _count(tx, tables[name])
        for name in tables
        if name in _COUNTED or name.startswith(("registered_", "model_", "logged_"))
    }
    waiting = int(tx.execute(select(func.coalesce(func.sum(schema.arrivals.c.points), 0))).scalar_one())
    packed = int(tx.execute(select(func.coalesce(func.sum(schema.blocks.c.points), 0))).scalar_one())
    return Sums(rows=rows, points=packed + waiting, waiting=waiting)


def orphans(tx: Tx) -> list[Found]:
    """Rows that refer to a row which is not there. The databases refuse to make them; a damaged file may hold them."""
    found = []
    for table in schema.metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                count = _unreferred(tx, column, key.column)
                if count:
                    found.append(
                        Found(what=f"{count} rows of {table.name} refer to {key.column.table.name} that are not there")
                    )
    return found


def blocks_after(tx: Tx, last: int) -> tuple[list[Found], int | None]:
    """Reads the next blocks of points after an id: those that are damaged, and the last id; None at the end."""
    table = schema.blocks
    rows = tx.execute(
        select(table.c.id, table.c.run).where(table.c.id > last).order_by(table.c.id).limit(ROWS_AT_ONCE)
    ).all()
    if not rows:
        return [], None
    whole = blocks.read(tx, [row.id for row in rows])
    damaged = [row for row in rows if row.id not in whole]
    return [Found(what=f"a block of points of run {_run_id(tx, row.run)} is damaged") for row in damaged], rows[-1].id


def arrivals_after(tx: Tx, last: int) -> tuple[list[Found], int | None]:
    """The same of the log."""
    table = schema.arrivals
    rows = tx.execute(select(table).where(table.c.id > last).order_by(table.c.id).limit(ROWS_AT_ONCE)).all()
    if not rows:
        return [], None
    found = [
        Found(what=f"points of run {_run_id(tx, row.run)} in the log are damaged")
        for row in rows
        if not _whole(row.data, row.points)
    ]
    return found, rows[-1].id


def _whole(data: bytes, points: int) -> bool:
    import struct

    try:
        return sum(map(len, split_arrivals([data]).values())) == points
    except (ValueError, struct.error):
        return False


def _count(tx: Tx, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def _unreferred(tx: Tx, column: Column[object], target: Column[object]) -> int:
    there = target.table.alias()
    query = select(func.count()).select_from(column.table.outerjoin(there, there.c[target.name] == column))
    return int(tx.execute(query.where(column.is_not(None), there.c[target.name].is_(None))).scalar_one())


def _run_id(tx: Tx, run: int) -> str:
    return str(tx.execute(select(schema.runs.c.run_id).where(schema.runs.c.id == run)).scalar() or run)
