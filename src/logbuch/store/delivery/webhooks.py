"""Webhooks, and the row that says that alerts are mailed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select

from logbuch import limits
from logbuch.alerts import Level, parse_level
from logbuch.errors import InvalidInput, NotFound
from logbuch.registry import Caller
from logbuch.store import experiments
from logbuch.store.delivery import outbox
from logbuch.store.delivery.tables import destinations as _table
from logbuch.store.tx import Tx
from logbuch.webhooks import EVENTS, Event, Kind, Webhook, masked


def listed(tx: Tx) -> list[Webhook]:
    """All webhooks of both forms, the oldest first; without their secrets."""
    return [_noun(row) for row in tx.execute(select(_table).where(_is_webhook()).order_by(_table.c.id))]


def create(
    tx: Tx, url: str, events: Sequence[str], experiment_id: str, level: str, secret: str, by: Caller
) -> tuple[Webhook, str]:
    """Makes a webhook, whose address was checked, and gives its secret: the one that is given, or a new one."""
    unknown = set(events) - set(EVENTS)
    if unknown:
        raise InvalidInput(f"Unknown event {limits.clip(min(unknown))!r}. Events are {', '.join(EVENTS)}.")
    limits.check_text(secret, "secret", limits.WEBHOOK_SECRET_LENGTH)
    experiment = experiments.require(tx, experiment_id) if experiment_id else None
    rank = parse_level(level).rank
    check_room(tx)
    kept = secret or secrets.token_urlsafe(32)
    row = {
        "kind": Kind.WEBHOOK,
        "url": url,
        "secret": kept,
        "events": " ".join(event for event in EVENTS if not events or event in events),
        "experiment": experiment,
        "level": rank,
        "created_by": maker(by),
        "creation_time": tx.now(),
    }
    return _noun(_row(tx, str(tx.insert_one(_table, row)))), kept


def check_room(tx: Tx) -> None:
    """InvalidInput where there are as many webhooks as there can be."""
    count = int(tx.execute(select(func.count()).where(_is_webhook())).scalar_one())
    if count >= limits.WEBHOOKS:
        raise InvalidInput(f"There are {count} webhooks, which is the most there can be.")


def maker(by: Caller) -> str:
    """Who made a webhook, as far as it can be kept."""
    return by.user[: limits.USER_LENGTH] if limits.is_storable(by.user) else ""


def remove(tx: Tx, webhook_id: str) -> None:
    """Removes a webhook, and what waits to be sent to it."""
    tx.change(delete(_table).where(_table.c.id == _row(tx, webhook_id).id))


def try_out(tx: Tx, webhook_id: str) -> str:
    """Sends a webhook a message without content; its number."""
    row = _row(tx, webhook_id)
    if row.kind == Kind.MLFLOW:
        raise InvalidInput(f"Webhook {webhook_id} is in MLflow's form: MlflowClient().test_webhook tries it out.")
    return str(outbox.post(tx, row.id, Event.TEST, {}))


def number(tx: Tx, webhook_id: str) -> int:
    """The inner number of a webhook; NotFound if there is none."""
    return int(_row(tx, webhook_id).id)


def mail(tx: Tx, level: Level | None) -> None:
    """Says from which level on alerts are mailed; None: none are."""
    known = tx.execute(select(_table).where(_table.c.kind == Kind.MAIL)).first()
    if known is not None and level is not None and known.level == level.rank:
        return
    if known is not None:
        tx.change(delete(_table).where(_table.c.kind == Kind.MAIL))
    if level is not None:
        row = {"kind": Kind.MAIL, "url": "", "secret": "", "events": str(Event.ALERT), "experiment": None}
        tx.insert_one(_table, row | {"level": level.rank, "created_by": "", "creation_time": tx.now()})


def _row(tx: Tx, webhook_id: str) -> Row[Any]:
    row: Row[Any] | None = None
    wanted = limits.whole_number(webhook_id)
    if wanted is not None:
        row = tx.execute(select(_table).where(_table.c.id == wanted, _is_webhook())).first()
    if row is None:
        raise NotFound(f"There is no webhook with id={limits.clip(webhook_id)!r}.")
    return row


def _is_webhook() -> ColumnElement[bool]:
    return _table.c.kind != Kind.MAIL


def _noun(row: Row[Any]) -> Webhook:
    return Webhook(
        webhook_id=str(row.id),
        url=masked(row.url),
        events=tuple(row.events.split()),
        experiment_id=None if row.experiment is None else str(row.experiment),
        level=list(Level)[row.level],
        created_by=row.created_by,
        creation_time=row.creation_time,
    )
