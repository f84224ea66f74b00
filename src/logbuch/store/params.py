"""Params: write-once texts of a run."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Param
from logbuch.store import schema, texts
from logbuch.store.metrics import ordinal
from logbuch.store.tx import Tx

NUMBER_LENGTH = 400
_table = schema.params
OF_RUNS = texts.reading(_table)


def write(tx: Tx, run: int, wanted: Sequence[Param], run_id: str) -> bool:
    """Logs params; the same value again is no error, another value is. Says whether anything was new."""
    if not wanted:
        return False
    limits.check_unique([param.key for param in wanted])
    wanted = [_checked(param) for param in wanted]
    ids = tx.name_ids([param.key for param in wanted])
    stored = _stored(tx, run, list(ids.values()))
    fresh = []
    for param in wanted:
        old = stored.get(ids[param.key])
        if old is None:
            number = as_number(param.value)
            fresh.append({"run": run, "key": ids[param.key], "value": param.value, "number": number})
        elif old != param.value:
            raise _conflict(param, old, run_id)
    tx.insert(tx.seam.upsert(_table, None), fresh)
    return bool(fresh)


def as_number(text: str) -> int | None:
    """The ordinal of a text that is a number as Python writes it; None for any other."""
    if len(text) > NUMBER_LENGTH or "_" in text:
        return None
    try:
        return ordinal.encode(float(text))
    except ValueError:
        return None


def _checked(param: Param) -> Param:
    limits.check_key(param.key, "key")
    return Param(key=param.key, value=limits.fit_text(param.value, "value", limits.PARAM_VALUE_LENGTH))


def _stored(tx: Tx, run: int, keys: Sequence[int]) -> dict[int, str]:
    query = select(_table.c.key, _table.c.value).where(_table.c.run == run, _table.c.key.in_(keys))
    return {row[0]: row[1] for row in tx.execute(query)}


def _conflict(param: Param, old: str, run_id: str) -> InvalidInput:
    return InvalidInput(
        f"Changing param values is not allowed. Param with key='{param.key}' was already logged with "
        f"value='{limits.clip(old)}' for run ID='{run_id}'. Attempted logging new value '{limits.clip(param.value)}'."
    )
