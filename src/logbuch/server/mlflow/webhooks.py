"""webhooks/*: MLflow's webhooks of the model registry, sent by the same courier and to the same hosts as Logbuch's."""

from __future__ import annotations

import asyncio
from typing import Any

from logbuch import settings
from logbuch.server.caller import caller
from logbuch.server.context import Context
from logbuch.server.delivery import webhook as sending
from logbuch.server.delivery.webhook import SendFailed
from logbuch.server.routes import Permission, Route
from logbuch.store.delivery import outbox, registryhooks
from logbuch.store.delivery.registryhooks import Wanted
from logbuch.webhooks import address
from logbuch.wire import registryhooks as wire
from logbuch.wire.mlflow import present


async def create(context: Context, request: wire.CreateRegistryWebhook) -> Any:
    _check(request.url)
    wanted = Wanted(
        name=request.name,
        description=request.description,
        url=request.url,
        events=wire.events(request.events),
        secret=request.secret,
        active=request.status is wire.Status.ACTIVE,
    )
    return {"webhook": wire.webhook(await context.write(registryhooks.create, wanted, caller()))}


async def list_(context: Context, request: wire.ListRegistryWebhooks) -> Any:
    found, token = await context.read(registryhooks.listed, request.max_results, request.page_token)
    return present({"webhooks": [wire.webhook(noun) for noun in found], "next_page_token": token})


async def get(context: Context, request: wire.OneRegistryWebhook, webhook_id: str) -> Any:  # noqa: ARG001
    return {"webhook": wire.webhook(await context.read(registryhooks.get, webhook_id))}


async def change(context: Context, request: wire.ChangeRegistryWebhook, webhook_id: str) -> Any:
    if request.url is not None:
        _check(request.url)
    wanted = Wanted(
        name=request.name,
        description=request.description,
        url=request.url,
        events=wire.events(request.events) or None,
        secret=request.secret,
        active=None if request.status is None else request.status is wire.Status.ACTIVE,
    )
    return {"webhook": wire.webhook(await context.write(registryhooks.change, webhook_id, wanted))}


async def delete(context: Context, request: wire.OneRegistryWebhook, webhook_id: str) -> Any:  # noqa: ARG001
    await context.write(registryhooks.remove, webhook_id)
    return {}


async def test(context: Context, request: wire.TryRegistryWebhook, webhook_id: str) -> Any:
    """Sends an example at once, once, and says what came of it; of the answer nothing but its status."""
    event = None if request.event is None else request.event.noun()
    parcel = await context.write(registryhooks.trial, webhook_id, event)
    status, error = None, ""
    try:
        status = await asyncio.to_thread(sending.send, parcel)
    except SendFailed as failed:
        status, error = failed.status, str(failed)
    await context.write(outbox.settle, parcel, error, again=False)
    return {"result": present({"success": not error, "response_status": status, "error_message": error or None})}


def _check(url: str) -> None:
    address(url, settings.WEBHOOK_HOSTS.get())


_MANAGE = Permission.MANAGE
_ONE = "/webhooks/{webhook_id}"
ROUTES = (
    Route("POST", "/webhooks", wire.CreateRegistryWebhook, _MANAGE, create, "Tell an address of models' changes"),
    Route("GET", "/webhooks", wire.ListRegistryWebhooks, _MANAGE, list_, "MLflow's webhooks, without their secrets"),
    Route("GET", _ONE, wire.OneRegistryWebhook, _MANAGE, get, "Get one of them"),
    Route("PATCH", _ONE, wire.ChangeRegistryWebhook, _MANAGE, change, "Change what is given of it"),
    Route("DELETE", _ONE, wire.OneRegistryWebhook, _MANAGE, delete, "Tell the address no longer"),
    Route("POST", _ONE + "/test", wire.TryRegistryWebhook, _MANAGE, test, "Send it an example at once"),
)
