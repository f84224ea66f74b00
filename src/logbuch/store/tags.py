"""Tags of runs: texts that may change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete as delete_from

from logbuch import limits
from logbuch.errors import NotFound
from logbuch.model import Tag
from logbuch.store import schema, texts
from logbuch.store.seam import new_value
from logbuch.store.tx import Tx

_table = schema.tags
OF_RUNS = texts.reading(_table)


def write(tx: Tx, run: int, wanted: Sequence[Tag]) -> list[Tag]:
    """Sets tags; of several with one key the last wins. Returns what was written, in the order of keys."""
    last: dict[str, str] = {}
    for tag in wanted:
        limits.check_key(tag.key, "key")
        last[tag.key] = limits.fit_text(tag.value, "value", limits.RUN_TAG_VALUE_LENGTH)
    ids = tx.name_ids(last)
    rows = [(run, ids[key], value) for key, value in sorted(last.items())]
    tx.insert_rows(tx.seam.upsert(_table, new_value), ("run", "key", "value"), rows)
    return [Tag(key=key, value=value) for key, value in sorted(last.items())]


def delete(tx: Tx, run: int, key: str, run_id: str) -> None:
    id_ = tx.known_names([key]).get(key, -1)
    gone = tx.change(delete_from(_table).where(_table.c.run == run, _table.c.key == id_))
    if gone.rowcount == 0:
        raise NotFound(f"No tag with name: {limits.clip(key)} in run with id {run_id}")
