"""What is done to many runs at once: tags, the mark of deletion, another experiment, and removal for good.

Each function is one transaction: all of it or nothing. What can be taken back returns what it found, so that the same
call with that undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Noun, Tag
from logbuch.store import erase, experiments, heads, inputs, runs, schema, tags
from logbuch.store.erase import Erased
from logbuch.store.heads import RunRow
from logbuch.store.tx import Tx, chunks

_runs = schema.runs


class TagChange(Noun, frozen=True, kw_only=True):
    """A tag of a run as it is wanted, or as it was; without a value it is absent."""

    run_id: str
    key: str
    value: str | None = None


def set_tags(tx: Tx, run_ids: Sequence[str], changes: Sequence[TagChange]) -> list[TagChange]:
    """Sets and removes tags of the active runs that ``run_ids`` names, and returns what was there before."""
    rows = _all(tx, run_ids)
    for row in rows.values():
        _check_active(row)
    before = _tags_before(tx, rows, changes)
    wanted: dict[str, list[Tag]] = {}
    for change in changes:
        if change.value is not None:
            wanted.setdefault(change.run_id, []).append(Tag(key=change.key, value=change.value))
    for run_id, found in sorted(wanted.items()):
        runs.apply_tags(tx, rows[run_id], found)
    for change, old in zip(changes, before, strict=True):
        if change.value is None and old.value is not None:
            _check_removable(change.key)
            tags.delete(tx, rows[change.run_id].id, change.key, change.run_id)
            tx.touch(rows[change.run_id].id, rows[change.run_id].experiment)
    return before


def delete(tx: Tx, run_ids: Sequence[str]) -> list[str]:
    """Marks runs as deleted; returns those that were not."""
    return _mark(tx, run_ids, deleted=True)


def restore(tx: Tx, run_ids: Sequence[str]) -> list[str]:
    """Takes the mark back; returns those that bore it."""
    return _mark(tx, run_ids, deleted=False)


def move(tx: Tx, run_ids: Sequence[str], experiment_id: str) -> dict[str, list[str]]:
    """Moves runs to an active experiment; returns, by the experiment they came from, those that were elsewhere.

    Their artifacts stay where they lie, so that addresses that were given out stay good.
    """
    target = experiments.require(tx, experiment_id)
    before: dict[str, list[str]] = {}
    for row in _all(tx, run_ids).values():
        if row.experiment == target:
            continue
        before.setdefault(str(row.experiment), []).append(row.run_id)
        home = row.experiment if row.home is None else row.home
        values = {"experiment": target, "home": None if home == target else home}
        tx.change(update(_runs).where(_runs.c.id == row.id).values(**values))
        tx.change(update(schema.latest).where(schema.latest.c.run == row.id).values(experiment=target))
        inputs.move(tx, row.id, target)
        tx.touch(row.id, target)
    tx.forget_heads()
    return before


def purge(tx: Tx, run_ids: Sequence[str]) -> list[Erased]:
    """Removes deleted runs with all that was logged of them; their artifacts are the caller's to remove."""
    _all(tx, run_ids)
    return erase.erase_runs(tx, run_ids)


OF_RUNS: frozenset[Callable[..., Any]] = frozenset({set_tags, delete, restore, move, purge})
"""Functions whose first argument is a list of IDs of runs."""


def _all(tx: Tx, run_ids: Iterable[str]) -> Mapping[str, RunRow]:
    """The rows of these runs; NotFound if one of them is not there."""
    wanted = list(dict.fromkeys(run_ids))
    if len(wanted) > limits.BULK_RUNS:
        raise InvalidInput(f"'run_ids' names {len(wanted)} runs; at most {limits.BULK_RUNS} are allowed.")
    found = heads.fetch(tx, filter(limits.is_run_id, wanted))
    return {run_id: found.get(run_id) or runs.row(tx, run_id) for run_id in wanted}


def _mark(tx: Tx, run_ids: Sequence[str], *, deleted: bool) -> list[str]:
    rows = [row for row in _all(tx, run_ids).values() if bool(row.deleted) is not deleted]
    values = {"deleted": deleted, "deleted_time": tx.now() if deleted else None}
    for part in chunks([row.id for row in rows]):
        tx.change(update(_runs).where(_runs.c.id.in_(part)).values(**values))
    for row in rows:
        tx.touch(row.id, row.experiment)
    tx.forget_heads()
    return [row.run_id for row in rows]


def _check_active(row: RunRow) -> None:
    if row.deleted:
        raise InvalidInput(f"The run {row.run_id} must be in the 'active' state. Current state is deleted.")


def _check_removable(key: str) -> None:
    if key == runs.NAME_TAG:
        raise InvalidInput(f"The tag {key} is the run's name and cannot be removed.")


def _tags_before(tx: Tx, rows: Mapping[str, RunRow], changes: Sequence[TagChange]) -> list[TagChange]:
    strange = [change.run_id for change in changes if change.run_id not in rows]
    if strange:
        raise InvalidInput(f"'changes' names the run {limits.clip(strange[0])!r}, which 'run_ids' does not.")
    for change in changes:
        limits.check_key(change.key, "key")
    ids = tx.known_names({change.key for change in changes})
    table = schema.tags
    found: dict[tuple[int, int], str] = {}
    for part in chunks([row.id for row in rows.values()]):
        query = select(table.c.run, table.c.key, table.c.value)
        query = query.where(table.c.run.in_(part), table.c.key.in_(list(ids.values())))
        found |= {(run, key): value for run, key, value in tx.execute(query)}
    return [
        TagChange(
            run_id=change.run_id, key=change.key, value=found.get((rows[change.run_id].id, ids.get(change.key, -1)))
        )
        for change in changes
    ]
