"""Tags of models, of versions and of logged models: tables of an owner, a key and a text."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table, delete, select

from logbuch import limits
from logbuch.model import Tag
from logbuch.store.query.among import among
from logbuch.store.seam import new_value
from logbuch.store.tx import Tx


def write(
    tx: Tx, table: Table, column: str, owner: int, tags: Sequence[Tag], limit: int = limits.MODEL_TAG_VALUE_LENGTH
) -> None:
    """Sets tags; of several with one key the last wins."""
    last: dict[str, str] = {}
    for tag in tags:
        limits.check_key(tag.key, "key")
        last[tag.key] = limits.check_text(tag.value, "value", limit)
    rows = [{column: owner, "key": key, "value": value} for key, value in last.items()]
    tx.insert(tx.seam.upsert(table, new_value), rows)


def remove(tx: Tx, table: Table, column: str, owner: int, key: str) -> bool:
    """Takes a tag away, and says whether there was one."""
    if not limits.is_storable(key):
        return False
    gone = tx.change(delete(table).where(table.c[column] == owner, table.c.key == key))
    return bool(gone.rowcount)


def of(tx: Tx, table: Table, column: str, owners: Sequence[int]) -> dict[int, tuple[Tag, ...]]:
    """The tags of each owner, by key."""
    found: dict[int, list[Tag]] = {}
    if owners:
        query = select(table).where(among(table.c[column], owners)).order_by(table.c[column], table.c.key)
        for row in tx.execute(query):
            found.setdefault(getattr(row, column), []).append(Tag(key=row.key, value=row.value))
    return {owner: tuple(tags) for owner, tags in found.items()}
