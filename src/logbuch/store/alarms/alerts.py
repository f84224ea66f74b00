"""Alerts: raised by a training or a rule, read newest first, acknowledged by somebody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, update

from logbuch import limits
from logbuch.alerts import Alert, Level
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Noun
from logbuch.registry import Caller
from logbuch.store import runs, schema
from logbuch.store.alarms.tables import alerts as _table
from logbuch.store.delivery import outbox
from logbuch.store.experiments import inner_id
from logbuch.store.heads import RunRow
from logbuch.store.query.paging import Order, SortKey, fetch_page
from logbuch.store.registry.audit import fitting
from logbuch.store.tx import Tx, chunks
from logbuch.webhooks import Event

_runs = schema.runs
_ORDER = Order([SortKey(_table.c.id, False)], "alerts")


class Page(Noun, frozen=True, kw_only=True):
    """Alerts, the newest first; ``open`` counts those that nobody has acknowledged, on all pages."""

    alerts: Sequence[Alert]
    open: int
    next_page_token: str | None = None


class Wanted(Noun, frozen=True, kw_only=True):
    """Which alerts: of some experiments, of some runs, the open ones alone. Empty collections mean all."""

    experiment_ids: Sequence[str] = ()
    run_ids: Sequence[str] = ()
    open: bool = False


def put(tx: Tx, run_id: str, time: int, level: Level, title: str, text: str) -> None:
    """An alert that a training has raised itself."""
    head = runs.active(tx, run_id)
    title = limits.check_text(title.strip(), "title", limits.ALERT_TITLE_LENGTH)
    if not title:
        raise InvalidInput("Missing value for required parameter 'title': an alert must have a title.")
    limits.check_integer(time, "time")
    limits.check_text(text, "text", limits.ALERT_TEXT_LENGTH)
    if count(tx, head.id, by_rules=False) >= limits.ALERTS_PER_RUN:
        raise InvalidInput(f"The run {run_id} has {limits.ALERTS_PER_RUN} alerts, which is the most it can have.")
    add(tx, head, None, time, level, title, text)


def add(tx: Tx, head: RunRow | Row[Any], rule: int | None, time: int, level: Level, title: str, text: str) -> None:
    """Writes an alert of a run, and hands it to whoever wants to be told."""
    row = {
        "run": head.id,
        "rule": rule,
        "time": time,
        "level": level.rank,
        "title": title,
        "text": text,
        "acknowledged_by": "",
    }
    number = tx.insert_one(_table, row)
    tx.touch(head.id, head.experiment)
    outbox.announce(tx, Event.ALERT, {"alert": get(tx, number)}, experiment=head.experiment, level=level)


def count(tx: Tx, run: int, *, by_rules: bool) -> int:
    """How many alerts of a run (inner id) rules have raised, or its training itself."""
    mine = (_table.c.run == run) & (_table.c.rule.is_not(None) if by_rules else _table.c.rule.is_(None))
    return int(tx.execute(select(func.count()).where(mine)).scalar_one())


def last_of_rule(tx: Tx, run: int, rule: int) -> int | None:
    """When a rule last raised an alert of a run (ms); None if it never did."""
    query = select(func.max(_table.c.time)).where(_table.c.run == run, _table.c.rule == rule)
    found: int | None = tx.execute(query).scalar()
    return found


def listed(tx: Tx, wanted: Wanted, max_results: int = limits.ALERTS_PER_PAGE_DEFAULT, page_token: str = "") -> Page:
    """One page of the alerts of active runs."""
    limits.check_page_size(max_results, "max_results", limits.ALERTS_PER_PAGE)
    conditions = _conditions(wanted)
    open_ = _table.c.acknowledged_time.is_(None)
    left = tx.execute(_of_runs(select(func.count()), [*_conditions(wanted), open_])).scalar_one()
    if wanted.open:
        conditions.append(open_)
    query = _of_runs(select(_table, _runs.c.run_id, _runs.c.name, _runs.c.experiment), conditions)
    rows, token = fetch_page(tx, query, _ORDER, max_results, page_token)
    return Page(alerts=[_noun(row) for row in rows], open=int(left), next_page_token=token)


def get(tx: Tx, number: int) -> Alert:
    query = _of_runs(select(_table, _runs.c.run_id, _runs.c.name, _runs.c.experiment), [_table.c.id == number])
    return _noun(tx.execute(query).one())


def acknowledge(tx: Tx, alert_ids: Sequence[str], wanted: Wanted | None, by: Caller) -> int:
    """Notes that somebody has seen these alerts, or, of those that are wanted, all open ones; how many are new to it.
    NotFound for an alert that does not exist."""
    query = _of_runs(select(_table.c.id, _table.c.acknowledged_time, _table.c.run, _runs.c.experiment), [])
    rows: list[Row[Any]] = []
    if wanted is not None:
        rows += tx.execute(query.where(*_conditions(wanted), _table.c.acknowledged_time.is_(None)))
    numbers = sorted({_number(alert_id) for alert_id in alert_ids})
    for part in chunks(numbers):
        rows += tx.execute(query.where(_table.c.id.in_(part)))
    missing = set(numbers) - {row.id for row in rows}
    if missing:
        raise NotFound(f"There is no alert with id={min(missing)}.")
    fresh = {row.id: row for row in rows if row.acknowledged_time is None}
    for part in chunks(sorted(fresh)):
        now = {"acknowledged_time": tx.now(), "acknowledged_by": fitting(by.user)}
        tx.change(update(_table).where(_table.c.id.in_(part)).values(**now))
    for row in fresh.values():
        tx.touch(row.run, row.experiment)
    return len(fresh)


def _of_runs(query: Select[Any], conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    return (
        query.select_from(_table).join(_runs, _runs.c.id == _table.c.run).where(_runs.c.deleted.is_(False), *conditions)
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    limits.check_ids(wanted.experiment_ids, "experiment_id")
    limits.check_ids(wanted.run_ids, "run_id")
    found: list[ColumnElement[bool]] = []
    if wanted.experiment_ids:
        found.append(_runs.c.experiment.in_([inner_id(id_) for id_ in wanted.experiment_ids]))
    if wanted.run_ids:
        found.append(_runs.c.run_id.in_([id_ for id_ in wanted.run_ids if limits.is_run_id(id_)]))
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= limits.DIGITS):
        raise NotFound(f"There is no alert with id={limits.clip(text)!r}.")
    return int(text)


def _noun(row: Row[Any]) -> Alert:
    return Alert(
        alert_id=str(row.id),
        run_id=row.run_id,
        run_name=row.name,
        experiment_id=str(row.experiment),
        time=row.time,
        level=list(Level)[row.level],
        title=row.title,
        text=row.text,
        rule_id=None if row.rule is None else str(row.rule),
        acknowledged_time=row.acknowledged_time,
        acknowledged_by=row.acknowledged_by,
    )
