"""Webhooks: who is told of alerts and of model versions, and what became of the messages."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch import settings
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store.delivery import outbox, webhooks
from logbuch.store.tx import Tx
from logbuch.webhooks import address
from logbuch.wire import webhooks as wire

Answer = dict[str, Any]


def _list(tx: Tx, request: wire.ListWebhooks, by: Caller) -> Answer:  # noqa: ARG001
    return {"webhooks": webhooks.listed(tx)}


def _create(tx: Tx, request: wire.CreateWebhook, by: Caller) -> Answer:
    address(request.url, settings.WEBHOOK_HOSTS.get())
    made = (request.url, request.events, request.experiment_id, request.level, request.secret)
    webhook, secret = webhooks.create(tx, *made, by)
    return {"webhook": msgspec.structs.asdict(webhook), "secret": secret}


def _delete(tx: Tx, request: wire.OneWebhook, by: Caller) -> Answer:  # noqa: ARG001
    webhooks.remove(tx, request.webhook_id)
    return {}


def _test(tx: Tx, request: wire.OneWebhook, by: Caller) -> Answer:  # noqa: ARG001
    return {"delivery_id": webhooks.try_out(tx, request.webhook_id)}


def _deliveries(tx: Tx, request: wire.ListDeliveries, by: Caller) -> Answer:  # noqa: ARG001
    destination = webhooks.number(tx, request.webhook_id) if request.webhook_id else None
    return {"deliveries": outbox.listed(tx, destination, request.max_results)}


def _operation(method: str, path: str, request: type[msgspec.Struct], run: Any, summary: str) -> Operation:
    return Operation(method, path, request, method == "POST", run, summary, manages=True)


OPERATIONS = (
    _operation("GET", "/webhooks", wire.ListWebhooks, _list, "All webhooks, without their secrets"),
    _operation("POST", "/webhooks/create", wire.CreateWebhook, _create, "Tell an address of events"),
    _operation("POST", "/webhooks/delete", wire.OneWebhook, _delete, "Tell it no longer"),
    _operation("POST", "/webhooks/test", wire.OneWebhook, _test, "Send it a message without content"),
    _operation("GET", "/webhooks/deliveries", wire.ListDeliveries, _deliveries, "What became of the last messages"),
)
