"""Webhooks of a server, for ``logbuch webhooks``."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from logbuch.alerts import Level
from logbuch.sdk import answers
from logbuch.sdk.connection import connect
from logbuch.webhooks import Delivery, Webhook


def list_webhooks() -> list[Webhook]:
    """All webhooks, the oldest first."""
    return msgspec.convert(answers.ask(connect(), "/webhooks", {})["webhooks"], list[Webhook])


def create_webhook(
    url: str, events: Sequence[str] = (), experiment: str | None = None, level: str = Level.INFO, secret: str = ""
) -> tuple[Webhook, str]:
    """Lets the server tell an address of events (none: of all). Gives the secret that messages are signed with,
    which is shown this once. ``InvalidInput`` for an address that the server's setting webhook_hosts does not name."""
    connection = connect()
    body = {"url": url, "events": list(events), "level": str(level), "secret": secret}
    if experiment is not None:
        body["experiment_id"] = answers.experiment_id(connection, experiment)
    answer = answers.ask(connection, "/webhooks/create", body, "POST")
    return msgspec.convert(answer["webhook"], Webhook), str(answer["secret"])


def remove_webhook(webhook_id: str) -> None:
    answers.ask(connect(), "/webhooks/delete", {"webhook_id": webhook_id}, "POST")


def try_webhook(webhook_id: str) -> str:
    """Sends a message without content; its number among the deliveries."""
    return str(answers.ask(connect(), "/webhooks/test", {"webhook_id": webhook_id}, "POST")["delivery_id"])


def list_deliveries(webhook_id: str = "", max_results: int = 20) -> list[Delivery]:
    """The last messages, the newest first."""
    body = {"webhook_id": webhook_id, "max_results": str(max_results)}
    return msgspec.convert(answers.ask(connect(), "/webhooks/deliveries", body)["deliveries"], list[Delivery])
