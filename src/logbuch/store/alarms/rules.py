"""The rules of experiments: what their runs are watched for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, func, select

from logbuch import limits
from logbuch.alerts import Level, Rule, parse, parse_level
from logbuch.errors import InvalidInput, NotFound
from logbuch.registry import Caller
from logbuch.store import experiments, schema
from logbuch.store.alarms.tables import alert_rules as _table
from logbuch.store.registry.audit import fitting
from logbuch.store.tx import Tx

_experiments = schema.experiments


def of_experiment(tx: Tx, experiment_id: str) -> list[Rule]:
    """The rules of an experiment, the oldest first; NotFound if there is no such experiment."""
    experiment = int(experiments.get(tx, experiment_id).experiment_id)
    return [
        noun(row) for row in tx.execute(select(_table).where(_table.c.experiment == experiment).order_by(_table.c.id))
    ]


def create(tx: Tx, experiment_id: str, condition: str, level: str, by: Caller) -> Rule:
    """Watches the runs of an experiment for a condition. One that it has already is not made twice, but gets the
    level."""
    experiment, text, rank = experiments.require(tx, experiment_id), str(parse(condition)), parse_level(level).rank
    # Others that make a rule of this experiment wait here, so that none is made twice.
    tx.execute(select(_experiments.c.id).where(_experiments.c.id == experiment).with_for_update()).all()
    same = (_table.c.experiment == experiment) & (_table.c.condition == text)
    known = tx.execute(select(_table.c.id).where(same)).scalar()
    if known is not None:
        tx.change(_table.update().where(_table.c.id == known).values(level=rank))
        return noun(_row(tx, str(known)))
    count = int(tx.execute(select(func.count()).where(_table.c.experiment == experiment)).scalar_one())
    if count >= limits.RULES_PER_EXPERIMENT:
        raise InvalidInput(f"The experiment {experiment_id} has {count} rules, which is the most it can have.")
    row = {
        "experiment": experiment,
        "condition": text,
        "level": rank,
        "created_by": fitting(by.user),
        "creation_time": tx.now(),
    }
    return noun(_row(tx, str(tx.insert_one(_table, row))))


def remove(tx: Tx, rule_id: str) -> None:
    """Watches no longer; the alerts that were raised stay."""
    tx.change(delete(_table).where(_table.c.id == _row(tx, rule_id).id))


def everywhere(tx: Tx) -> list[Rule]:
    """The rules of all active experiments."""
    query = select(_table).join(_experiments, _experiments.c.id == _table.c.experiment)
    return [noun(row) for row in tx.execute(query.where(_experiments.c.deleted.is_(False)).order_by(_table.c.id))]


def noun(row: Row[Any]) -> Rule:
    return Rule(
        rule_id=str(row.id),
        experiment_id=str(row.experiment),
        condition=row.condition,
        level=list(Level)[row.level],
        created_by=row.created_by,
        creation_time=row.creation_time,
    )


def _row(tx: Tx, rule_id: str) -> Row[Any]:
    row: Row[Any] | None = None
    if rule_id.isascii() and rule_id.isdigit() and len(rule_id) <= limits.DIGITS:
        row = tx.execute(select(_table).where(_table.c.id == int(rule_id))).first()
    if row is None:
        raise NotFound(f"There is no alert rule with id={limits.clip(rule_id)!r}.")
    return row
