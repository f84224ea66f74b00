"""Webhooks that MLflow's clients made: destinations with a name, whose messages have MLflow's form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from logbuch import limits
from logbuch.alerts import Level
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Noun
from logbuch.registry import Caller
from logbuch.registryhooks import EXAMPLES, RegistryEvent, RegistryWebhook
from logbuch.store.delivery import outbox, webhooks
from logbuch.store.delivery.outbox import Parcel
from logbuch.store.delivery.tables import destinations, registry_webhooks
from logbuch.store.query.paging import Order, SortKey, fetch_page
from logbuch.store.tx import Tx
from logbuch.webhooks import Kind, masked

_all = (
    select(destinations, registry_webhooks)
    .join(registry_webhooks, registry_webhooks.c.destination == destinations.c.id)
    .where(destinations.c.kind == Kind.MLFLOW)
)
_ORDER = Order([SortKey(destinations.c.id)], "registry webhooks")


class Wanted(Noun, frozen=True, kw_only=True):
    """What a webhook is to be; None leaves as it is what there is. An empty secret signs nothing."""

    name: str | None = None
    description: str | None = None
    url: str | None = None
    events: tuple[RegistryEvent, ...] | None = None
    secret: str | None = None
    active: bool | None = None


def create(tx: Tx, wanted: Wanted, by: Caller) -> RegistryWebhook:
    """Makes a webhook, whose address was checked."""
    _check(wanted)
    webhooks.check_room(tx)
    if not wanted.events:
        raise InvalidInput("Invalid value for parameter 'events': one event at least is needed.")
    now = tx.now()
    row = {
        "kind": Kind.MLFLOW,
        "url": wanted.url,
        "secret": wanted.secret or "",
        "events": _joined(wanted.events),
        "experiment": None,
        "level": Level.INFO.rank,
        "created_by": webhooks.maker(by),
        "creation_time": now,
    }
    number = tx.insert_one(destinations, row)
    more = {"destination": number, "name": wanted.name, "description": wanted.description or ""}
    active = wanted.active is not False
    tx.change(registry_webhooks.insert().values(more | {"active": active, "last_update_time": now}))
    return get(tx, str(number))


def get(tx: Tx, webhook_id: str) -> RegistryWebhook:
    """NotFound if there is none."""
    return _noun(_row(tx, webhook_id))


def listed(tx: Tx, max_results: int, page_token: str) -> tuple[list[RegistryWebhook], str | None]:
    """One page, the oldest first, and the token of the next."""
    limits.check_page_size(max_results, "max_results", limits.WEBHOOKS_PER_PAGE)
    rows, token = fetch_page(tx, _all, _ORDER, max_results, page_token)
    return [_noun(row) for row in rows], token


def change(tx: Tx, webhook_id: str, wanted: Wanted) -> RegistryWebhook:
    """Changes what is wanted otherwise. What waits for a webhook that is disabled is dropped."""
    _check(wanted)
    number = _row(tx, webhook_id).id
    one = _given(url=wanted.url, secret=wanted.secret, events=_joined(wanted.events) if wanted.events else None)
    if one:
        tx.change(update(destinations).where(destinations.c.id == number).values(one))
    other = _given(name=wanted.name, description=wanted.description, active=wanted.active)
    mine = registry_webhooks.c.destination == number
    tx.change(update(registry_webhooks).where(mine).values(other | {"last_update_time": tx.now()}))
    if wanted.active is False:
        outbox.drop(tx, number, "The webhook was disabled.")
    return get(tx, webhook_id)


def remove(tx: Tx, webhook_id: str) -> None:
    """Removes a webhook, and what waits to be sent to it."""
    tx.change(delete(destinations).where(destinations.c.id == _row(tx, webhook_id).id))


def announce(tx: Tx, event: RegistryEvent, data: Mapping[str, Any]) -> None:
    """Writes a message to everyone who wants to be told of an event."""
    for row in tx.execute(_all.where(registry_webhooks.c.active)).all():
        if event in row.events.split():
            outbox.put(tx, row.id, event, message(tx, event, data))


def message(tx: Tx, event: RegistryEvent, data: Mapping[str, Any]) -> dict[str, Any]:
    """A message in MLflow's form; its time is ISO 8601."""
    moment = datetime.fromtimestamp(tx.now() / 1000, UTC).isoformat()
    return {"entity": event.entity, "action": event.action, "timestamp": moment, "data": dict(data)}


def trial(tx: Tx, webhook_id: str, event: RegistryEvent | None) -> Parcel:
    """A message with an example, which the caller sends: of an event, or of the first one that the webhook is for."""
    row = _row(tx, webhook_id)
    shown = event or _noun(row).events[0]
    number = outbox.put(tx, row.id, shown, message(tx, shown, EXAMPLES[shown]))
    return outbox.claim(tx, number)


def _check(wanted: Wanted) -> None:
    if wanted.name is not None and not wanted.name.strip():
        raise InvalidInput("Invalid value for parameter 'name': a webhook needs one.")
    limits.check_text(wanted.name or "", "name", limits.WEBHOOK_NAME_LENGTH)
    limits.check_text(wanted.description or "", "description", limits.MODEL_DESCRIPTION_LENGTH)
    limits.check_text(wanted.secret or "", "secret", limits.WEBHOOK_SECRET_LENGTH)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _joined(events: Collection[RegistryEvent]) -> str:
    return " ".join(event for event in RegistryEvent if event in events)


def _row(tx: Tx, webhook_id: str) -> Row[Any]:
    row: Row[Any] | None = None
    number = limits.whole_number(webhook_id)
    if number is not None:
        row = tx.execute(_all.where(destinations.c.id == number)).first()
    if row is None:
        raise NotFound(f"Webhook with ID {limits.clip(webhook_id)} not found.")
    return row


def _noun(row: Row[Any]) -> RegistryWebhook:
    return RegistryWebhook(
        webhook_id=str(row.id),
        name=row.name,
        description=row.description,
        url=masked(row.url),
        events=tuple(RegistryEvent(event) for event in row.events.split()),
        active=row.active,
        creation_timestamp=row.creation_time,
        last_updated_timestamp=row.last_update_time,
    )
