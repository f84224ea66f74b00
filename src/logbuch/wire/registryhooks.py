"""MLflow's REST messages about webhooks. Fields and numbers are those of MLflow 3's protocol buffers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.registryhooks import RegistryEvent, RegistryWebhook
from logbuch.wire.mlflow import Body


class Entity(IntEnum):
    REGISTERED_MODEL = 1
    MODEL_VERSION = 2
    MODEL_VERSION_TAG = 3
    MODEL_VERSION_ALIAS = 4
    PROMPT = 5
    PROMPT_VERSION = 6
    PROMPT_TAG = 7
    PROMPT_VERSION_TAG = 8
    PROMPT_ALIAS = 9
    BUDGET_POLICY = 10


class Action(IntEnum):
    CREATED = 1
    UPDATED = 2
    DELETED = 3
    SET = 4
    EXCEEDED = 5


class Status(IntEnum):
    ACTIVE = 1
    DISABLED = 2


class WireEvent(Body, kw_only=True):
    entity: Entity
    action: Action

    def noun(self) -> RegistryEvent:
        """InvalidInput for an event that does not happen here."""
        name = f"{self.entity.name}.{self.action.name}".lower()
        try:
            return RegistryEvent(name)
        except ValueError:
            offered = ", ".join(RegistryEvent)
            raise InvalidInput(f"There is no event {name!r} for webhooks. Events are {offered}.") from None


class CreateRegistryWebhook(Body, kw_only=True):
    name: str
    url: str
    events: list[WireEvent]
    description: str = ""
    secret: str = ""
    status: Status = Status.ACTIVE


class ListRegistryWebhooks(Body, kw_only=True):
    max_results: int = limits.WEBHOOKS_PER_PAGE_DEFAULT
    page_token: str = ""


class ChangeRegistryWebhook(Body, kw_only=True):
    """What is absent stays as it is."""

    name: str | None = None
    url: str | None = None
    events: list[WireEvent] = []
    description: str | None = None
    secret: str | None = None
    status: Status | None = None


class OneRegistryWebhook(Body, kw_only=True):
    """The address names it."""


class TryRegistryWebhook(Body, kw_only=True):
    event: WireEvent | None = None


def webhook(noun: RegistryWebhook) -> dict[str, Any]:
    """As MLflow's clients read it; its secret is never shown."""
    return {
        "webhook_id": noun.webhook_id,
        "name": noun.name,
        "description": noun.description,
        "url": noun.url,
        "events": [{"entity": event.entity.upper(), "action": event.action.upper()} for event in noun.events],
        "status": (Status.ACTIVE if noun.active else Status.DISABLED).name,
        "creation_timestamp": noun.creation_timestamp,
        "last_updated_timestamp": noun.last_updated_timestamp,
    }


def events(wire: Sequence[WireEvent]) -> tuple[RegistryEvent, ...]:
    return tuple(event.noun() for event in wire)
