"""Webhooks as MLflow's clients make them: addresses that are told of changes in the model registry, in MLflow's form.

Events and the contents of messages are those of MLflow 3's documentation of its webhooks, prompts and budgets left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from logbuch.model import Noun


class RegistryEvent(StrEnum):
    """What such a webhook can be told: an entity and what was done to it."""

    MODEL_CREATED = "registered_model.created"
    VERSION_CREATED = "model_version.created"
    TAG_SET = "model_version_tag.set"
    TAG_DELETED = "model_version_tag.deleted"
    ALIAS_CREATED = "model_version_alias.created"
    ALIAS_DELETED = "model_version_alias.deleted"

    @property
    def entity(self) -> str:
        return self.partition(".")[0]

    @property
    def action(self) -> str:
        return self.partition(".")[2]


class RegistryWebhook(Noun, frozen=True, kw_only=True):
    """An address that is told of events while it is active. The query of its address and its secret are not shown."""

    webhook_id: str
    name: str
    description: str
    url: str
    events: tuple[RegistryEvent, ...]
    active: bool
    creation_timestamp: int
    last_updated_timestamp: int


_VERSION = {"name": "storyteller", "version": "3"}
EXAMPLES: Mapping[RegistryEvent, Mapping[str, object]] = {
    RegistryEvent.MODEL_CREATED: {"name": "storyteller", "tags": {"team": "text"}, "description": "Tells stories"},
    RegistryEvent.VERSION_CREATED: {
        **_VERSION,
        "source": "runs:/0123456789abcdef0123456789abcdef/model",
        "run_id": "0123456789abcdef0123456789abcdef",
        "tags": {"quality": "good"},
        "description": "Trained for a week",
    },
    RegistryEvent.TAG_SET: {**_VERSION, "key": "quality", "value": "good"},
    RegistryEvent.TAG_DELETED: {**_VERSION, "key": "quality"},
    RegistryEvent.ALIAS_CREATED: {**_VERSION, "alias": "champion"},
    RegistryEvent.ALIAS_DELETED: {"name": "storyteller", "alias": "champion"},
}
"""What a message holds that is sent to try a webhook out."""
