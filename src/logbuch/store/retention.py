"""What a clean-up may remove: deleted runs, runs that a rule or their experiment's retention gives up, and what is
left of deleted experiments and models. What the model registry refers to is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, false, func, or_, select

from logbuch.errors import InvalidInput
from logbuch.limits import RETENTION_TAG, parse_period
from logbuch.model import RunStatus
from logbuch.store import artifacts, erase, experiments, model_tables, runs, schema
from logbuch.store.erase import Erased
from logbuch.store.tx import Tx, chunks

KEEP_TAG = "logbuch.keep"
"""Of a run: with any value but ``false`` no clean-up removes it, unless somebody has deleted it."""
_runs, _versions, _logged = schema.runs, model_tables.model_versions, model_tables.logged_models


@dataclass(frozen=True, slots=True)
class Rule:
    """Which runs are given up. ``statuses`` adds active runs that ended so; ``before`` (ms) is what must lie behind
    their end, or behind the deletion of deleted runs. Empty collections mean all."""

    now: int
    before: int
    statuses: Collection[RunStatus] = ()
    experiment_ids: Collection[str] = ()
    run_ids: Collection[str] = ()


@dataclass(slots=True)
class Candidates:
    """Runs that a clean-up removes, each with the reason; and those that it would, were they not referred to."""

    runs: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def candidates(tx: Tx, rule: Rule) -> Candidates:
    """The runs that the rule gives up, the oldest first."""
    keep = tx.known_names([KEEP_TAG]).get(KEEP_TAG)
    kept_by_tag = (
        exists().where(schema.tags.c.run == _runs.c.id, schema.tags.c.key == keep, schema.tags.c.value != "false")
        if keep is not None
        else false()
    )
    referred = exists().where(_versions.c.run_id == _runs.c.run_id)
    columns = (_runs.c.run_id, _runs.c.deleted, _runs.c.status, kept_by_tag.label("tagged"), referred.label("referred"))
    query = select(*columns).where(_given_up(tx, rule)).order_by(_runs.c.id)
    found = Candidates()
    for row in tx.execute(query).all():
        if row.referred or (row.tagged and not row.deleted):
            found.kept.append(row.run_id)
        else:
            found.runs[row.run_id] = _reason(row, rule)
    return found


def remove(tx: Tx, run_ids: Sequence[str], rule: Rule) -> list[Erased]:
    """Erases those of these runs that the rule still gives up; they were chosen in another transaction."""
    still = candidates(tx, Rule(rule.now, rule.before, rule.statuses, rule.experiment_ids, run_ids)).runs
    for run_id in still:
        runs.delete(tx, run_id)
    return erase.erase_runs(tx, list(still))


def remove_models(tx: Tx, before: int) -> list[str]:
    """Removes logged models that were deleted before, and that no model version refers to; the folders of their
    files, which are noted for removal.

    Who registers a version holds the model's row meanwhile: first the rows are waited for, then the versions are read.
    """
    given_up = select(_logged.c.id, _logged.c.model_id, _logged.c.experiment).where(
        _logged.c.deleted, _logged.c.last_update_time < before
    )
    held = tx.execute(given_up.order_by(_logged.c.id).with_for_update()).all()
    referred: set[str] = set()
    for part in chunks([row.model_id for row in held]):
        referred |= set(tx.execute(select(_versions.c.model_id).where(_versions.c.model_id.in_(part))).scalars())
    rows = [row for row in held if row.model_id not in referred]
    prefixes = [f"{experiments.location(tx, str(row.experiment))}/models/{row.model_id}" for row in rows]
    for part in chunks([row.id for row in rows]):
        tx.change(delete(_logged).where(_logged.c.id.in_(part)))
    artifacts.doom(tx, prefixes)
    return prefixes


def remove_experiments(tx: Tx, before: int) -> list[str]:
    """Removes experiments that were deleted before and hold nothing any more; their IDs. Their names are free then."""
    table = schema.experiments
    holds = or_(
        exists().where((_runs.c.experiment == table.c.id) | (_runs.c.home == table.c.id)),
        exists().where(_logged.c.experiment == table.c.id),
    )
    empty = table.c.deleted & (table.c.last_update_time < before) & ~holds & (table.c.id != 0)
    ids = list(tx.execute(select(table.c.id).where(empty)).scalars())
    for part in chunks(ids):
        tx.change(delete(table).where(table.c.id.in_(part)))
    return [str(id_) for id_ in ids]


def known_runs(tx: Tx, names: Collection[str]) -> set[str]:
    """Those of these names that are IDs of runs."""
    found: set[str] = set()
    for part in chunks(sorted(names)):
        found |= set(tx.execute(select(_runs.c.run_id).where(_runs.c.run_id.in_(part))).scalars())
    return found


def known_models(tx: Tx, names: Collection[str]) -> set[str]:
    """Those of these names that are IDs of logged models."""
    found: set[str] = set()
    for part in chunks(sorted(names)):
        found |= set(tx.execute(select(_logged.c.model_id).where(_logged.c.model_id.in_(part))).scalars())
    return found


def places(tx: Tx) -> list[str]:
    """Where the experiments keep their files."""
    table = schema.experiments
    rows = tx.execute(select(table.c.id, table.c.artifact_location).order_by(table.c.id))
    return list(dict.fromkeys(row.artifact_location or str(row.id) for row in rows))


def _given_up(tx: Tx, rule: Rule) -> ColumnElement[bool]:
    ended = func.coalesce(_runs.c.end_time, _runs.c.start_time)
    over = _runs.c.status.in_([status.wire for status in RunStatus if status.terminal])
    if rule.statuses:
        wanted = _runs.c.status.in_([status.wire for status in rule.statuses])
        chosen: list[ColumnElement[bool]] = [
            wanted & _runs.c.deleted & (_runs.c.deleted_time < rule.before),
            wanted & _runs.c.deleted.is_(False) & (ended < rule.before),
        ]
    else:
        chosen = [_runs.c.deleted & (func.coalesce(_runs.c.deleted_time, 0) < rule.before)]
        for experiment, period in _retentions(tx).items():
            chosen.append(and_(_runs.c.experiment == experiment, over, ended < rule.now - period))
    condition = or_(*chosen)
    if rule.experiment_ids:
        condition &= _runs.c.experiment.in_([experiments.inner_id(id_) for id_ in rule.experiment_ids])
    if rule.run_ids:
        condition &= _runs.c.run_id.in_(list(rule.run_ids))
    return condition


def _retentions(tx: Tx) -> Mapping[int, int]:
    """How long the experiments that say so keep their runs (ms). A tag that cannot be read keeps them for ever."""
    table, found = schema.experiment_tags, {}
    for row in tx.execute(select(table.c.experiment, table.c.value).where(table.c.key == RETENTION_TAG)):
        try:
            found[row.experiment] = parse_period(row.value)
        except InvalidInput:
            continue
    return found


def _reason(row: Row[Any], rule: Rule) -> str:
    if row.deleted:
        return "deleted"
    return RunStatus.from_wire(row.status).value.lower() if rule.statuses else "retention of its experiment"
