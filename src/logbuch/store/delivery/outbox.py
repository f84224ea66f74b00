"""Messages that wait to be sent: written in the transaction of what they tell, so that none is lost or made up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, delete, func, select, update

from logbuch import limits
from logbuch.alerts import Level
from logbuch.store.delivery.tables import deliveries, destinations
from logbuch.store.tx import Tx, beside_latest
from logbuch.webhooks import Delivery, Event, Kind

KEPT_MS = 30 * 86_400_000
"""For so long one can see what became of a message."""
WAITS = (10, 60, 300, 1800, 7200, 21_600)
"""Seconds between the attempts; after the last the message is given up."""
LEASE_MS = 120_000
"""Who has taken a message has so long to send it: then another server may."""
LIFE_MS = 86_400_000
"""What could not be sent for so long to a destination that fails is given up, though it may never have been tried."""
_ERROR_LENGTH = 500
_addressed = select(deliveries, destinations.c.url, destinations.c.secret, destinations.c.kind).join(
    destinations, destinations.c.id == deliveries.c.destination
)


class Parcel(NamedTuple):
    """A message that was taken to be sent; ``url`` is empty for mail."""

    id: int
    attempts: int
    event: str
    body: str
    creation_time: int
    url: str
    secret: str
    destination: int = 0
    kind: str = Kind.WEBHOOK


def announce(
    tx: Tx, event: Event, about: dict[str, Any], experiment: int | None = None, level: Level = Level.ERROR
) -> None:
    """Writes a message to everyone who wants to be told of an event."""
    rows = tx.execute(select(destinations).where(destinations.c.kind != Kind.MLFLOW)).all()
    for row in rows:
        wanted = event in row.events.split() and row.experiment in (None, experiment)
        if wanted and (event is not Event.ALERT or level.rank >= row.level):
            post(tx, row.id, event, about)


def post(tx: Tx, destination: int, event: Event, about: dict[str, Any]) -> int:
    """Writes a message to one destination; its number."""
    return put(tx, destination, event, {"event": event, "time": tx.now(), **about})


def put(tx: Tx, destination: int, event: str, content: dict[str, Any]) -> int:
    """Writes a message with just this content; its number."""
    now, body = tx.now(), msgspec.json.encode(content).decode()
    values = {"destination": destination, "event": str(event), "body": body, "creation_time": now}
    return tx.insert_one(deliveries, values | {"attempts": 0, "due": now, "error": ""})


def claim(tx: Tx, number: int) -> Parcel:
    """Takes one message, due or not, so that no courier does."""
    parcel = _parcel(tx.execute(_addressed.where(deliveries.c.id == number)).one())
    _lease(tx, parcel)
    return parcel


def drop(tx: Tx, destination: int, reason: str) -> None:
    """Gives up what waits to be sent to a destination."""
    waiting = (deliveries.c.destination == destination) & deliveries.c.due.is_not(None)
    tx.change(update(deliveries).where(waiting).values(due=None, error=reason))


@beside_latest
def next_due(tx: Tx, but: Collection[int] = ()) -> int | None:
    """When the next message is to be sent (ms), those to some destinations left out; None if none waits."""
    waiting = deliveries.c.due.is_not(None) & deliveries.c.destination.not_in(but)
    due: int | None = tx.execute(select(func.min(deliveries.c.due)).where(waiting)).scalar()
    return due


def take(tx: Tx, limit: int, but: Collection[int] = ()) -> list[Parcel]:
    """Takes messages that are due, so that no other server does: of each destination one, of some destinations none."""
    now, taken = tx.now(), []
    waiting = select(deliveries.c.destination).where(deliveries.c.due <= now, deliveries.c.destination.not_in(but))
    first = waiting.group_by(deliveries.c.destination).order_by(func.min(deliveries.c.due)).limit(max(0, limit))
    for (destination,) in tx.execute(first).all():
        query = (
            _addressed.where(deliveries.c.due <= now, deliveries.c.destination == destination)
            .order_by(deliveries.c.due, deliveries.c.id)
            .limit(1)
            .with_for_update(of=deliveries, skip_locked=True)
        )
        taken += [_parcel(row) for row in tx.execute(query).all()]
    for parcel in taken:
        _lease(tx, parcel)
    return taken


def settle(tx: Tx, parcel: Parcel, error: str, *, again: bool = True) -> None:
    """Notes what became of an attempt: "" for a message that was delivered. Nothing if another server has taken it."""
    due, said = None, error[:_ERROR_LENGTH]
    if error and again and parcel.attempts <= len(WAITS):
        due = tx.now() + WAITS[parcel.attempts - 1] * 1000
    mine = (deliveries.c.id == parcel.id) & (deliveries.c.attempts == parcel.attempts)
    tx.change(update(deliveries).where(mine).values(due=due, error=said))
    if error and again:
        others = (deliveries.c.destination == parcel.destination) & deliveries.c.due.is_not(None)
        old = deliveries.c.creation_time < tx.now() - LIFE_MS
        tx.change(update(deliveries).where(others, old).values(due=None, error=said))


def prune(tx: Tx) -> None:
    """Forgets messages of long ago."""
    old = (deliveries.c.creation_time < tx.now() - KEPT_MS) & deliveries.c.due.is_(None)
    tx.change(delete(deliveries).where(old))


def listed(tx: Tx, destination: int | None = None, max_results: int = 100) -> Sequence[Delivery]:
    """The last messages, the newest first: of one destination or of all."""
    limits.check_page_size(max_results, "max_results", limits.DELIVERIES_PER_PAGE)
    query = select(deliveries, destinations.c.kind).join(destinations, destinations.c.id == deliveries.c.destination)
    if destination is not None:
        query = query.where(deliveries.c.destination == destination)
    return [_noun(row) for row in tx.execute(query.order_by(deliveries.c.id.desc()).limit(max_results))]


def _lease(tx: Tx, parcel: Parcel) -> None:
    mine = deliveries.c.id == parcel.id
    tx.change(update(deliveries).where(mine).values(due=tx.now() + LEASE_MS, attempts=parcel.attempts))


def _parcel(row: Row[Any]) -> Parcel:
    return Parcel(
        id=row.id,
        attempts=row.attempts + 1,
        event=row.event,
        body=row.body,
        creation_time=row.creation_time,
        url=row.url,
        secret=row.secret,
        destination=row.destination,
        kind=row.kind,
    )


def _noun(row: Row[Any]) -> Delivery:
    return Delivery(
        delivery_id=str(row.id),
        webhook_id=None if row.kind == Kind.MAIL else str(row.destination),
        event=row.event,
        state="waiting" if row.due is not None else "failed" if row.error else "delivered",
        attempts=row.attempts,
        creation_time=row.creation_time,
        next_time=row.due,
        error=row.error,
    )
