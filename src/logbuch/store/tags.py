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


def write(tx: Tx, run: int, wanted: Sequence[Tag]) -> None:
    """Sets tags; of several with one key the last wins."""
    last: dict[str, str] = {}
    for tag in wanted:
        limits.check_key(tag.key, "key")
        last[tag.key] = limits.fit_text(tag.value, "value", limits.RUN_TAG_VALUE_LENGTH)
    ids = tx.name_ids(last)
    statement = tx.seam.upsert(_table, new_value)
    tx.insert(statement, [{"run": run, "key": ids[key], "value": value} for key, value in sorted(last.items())])


def delete(tx: Tx, run: int, key: str, run_id: str) -> None:
    id_ = tx.known_names([key]).get(key, -1)
    gone = tx.change(delete_from(_table).where(_table.c.run == run, _table.c.key == id_))
    if gone.rowcount == 0:
        raise NotFound(f"No tag with name: {limits.clip(key)} in run with id {run_id}")


def of_runs(tx: Tx, runs: Sequence[int]) -> dict[int, list[Tag]]:
    """The tags of each run, in the order of their keys."""
    return texts.of_runs(tx, _table, runs, Tag)
