"""The audit trail of the registry: entries are added in the transaction of the change, and never touched again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, or_, select

from logbuch import limits
from logbuch.registry import Action, AuditEntry, Caller
from logbuch.store.delivery import outbox
from logbuch.store.model_tables import registered_models as models
from logbuch.store.model_tables import registry_audit as table
from logbuch.store.query.paging import Order, SortKey, fetch_page
from logbuch.store.tx import Tx
from logbuch.webhooks import Event

_EVENTS = {
    Action.VERSION_CREATED: Event.VERSION_CREATED,
    Action.STAGE_CHANGED: Event.STAGE_CHANGED,
    Action.ALIAS_SET: Event.ALIAS_SET,
}
"""What others can be told of."""
_ORDER = Order([SortKey(table.c.id, False)], "audit")


def note(
    tx: Tx,
    by: Caller,
    model: Any,
    action: Action,
    version: int | None = None,
    *,
    alias: str = "",
    before: str = "",
    after: str = "",
) -> None:
    """Adds an entry about a model, whose row is given, and tells those who want to know of it."""
    if by.recorded:
        return
    row = {
        "time": tx.now(),
        "model": model.id,
        "name": model.name,
        "version": version,
        "action": str(action),
        "alias": alias,
        "before": before,
        "after": after,
        "user": fitting(by.user),
        "address": fitting(by.address),
    }
    tx.change(table.insert().values(row))
    if not by.quiet:
        _announce(tx, action, row)


def _announce(tx: Tx, action: Action, row: dict[str, Any]) -> None:
    event = _EVENTS.get(action)
    if event is not None:
        about = {name: row[name] for name in ("time", "name", "alias", "before", "after", "user")}
        outbox.announce(tx, event, {"model_version": about | {"version": str(row["version"])}})


def entries(
    tx: Tx,
    name: str = "",
    version: str = "",
    max_results: int = limits.AUDIT_PER_PAGE_DEFAULT,
    page_token: str = "",
) -> tuple[list[AuditEntry], str | None]:
    """One page of entries, newest first, and the token of the next: of all models, of one, or of one version.

    A model keeps its entries when it is renamed; those of a deleted model are found by the name it had.
    """
    limits.check_page_size(max_results, "max_results", limits.AUDIT_PER_PAGE)
    query = select(table)
    if name:
        wanted = name if limits.is_storable(name) else ""
        now = select(models.c.id).where(models.c.name == wanted).scalar_subquery()
        query = query.where(or_(table.c.model == now, table.c.name == wanted))
    if version:
        query = query.where(table.c.version == limits.version_number(version))
    rows, token = fetch_page(tx, query, _ORDER, max_results, page_token)
    return [_noun(row) for row in rows], token


def of_model(tx: Tx, model: int) -> list[AuditEntry]:
    """All entries of a model that is there, the oldest first."""
    rows = tx.execute(select(table).where(table.c.model == model).order_by(table.c.id))
    return [_noun(row) for row in rows]


def take(tx: Tx, model: int, found: Sequence[AuditEntry]) -> None:
    """Takes over the entries of a model from elsewhere that are not there yet, as they are."""
    known = {_told(entry) for entry in of_model(tx, model)}
    for entry in found:
        if _told(entry) not in known:
            known.add(_told(entry))
            tx.change(table.insert().values(_row(model, entry)))


def _told(entry: AuditEntry) -> AuditEntry:
    """What an entry tells, by which it is known wherever it stands."""
    return msgspec.structs.replace(entry, id=0, address="")


def _row(model: int, entry: AuditEntry) -> dict[str, Any]:
    return {
        "time": limits.check_integer(entry.time, "time"),
        "model": model,
        "name": limits.check_model_name(entry.name),
        "version": None if entry.version is None else limits.version_number(entry.version),
        "action": str(entry.action),
        "alias": limits.check_text(entry.alias, "alias", limits.MODEL_SOURCE_LENGTH),
        "before": limits.check_text(entry.before, "before", limits.MODEL_SOURCE_LENGTH),
        "after": limits.check_text(entry.after, "after", limits.MODEL_SOURCE_LENGTH),
        "user": fitting(entry.user),
        "address": fitting(entry.address),
    }


def _noun(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        time=row.time,
        user=row.user,
        address=row.address,
        action=Action(row.action),
        name=row.name,
        version=None if row.version is None else str(row.version),
        alias=row.alias,
        before=row.before,
        after=row.after,
    )


def fitting(text: str) -> str:
    """What a request says of its caller is kept as far as it can be: an entry is never lost for it."""
    cut = text[: limits.USER_LENGTH]
    return cut if limits.is_storable(cut) else cut.encode("ascii", "replace").decode().replace("\0", "?")
