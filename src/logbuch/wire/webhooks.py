"""Requests about webhooks."""

from __future__ import annotations

from logbuch.alerts import Level
from logbuch.wire.mlflow import Body


class ListWebhooks(Body, kw_only=True):
    pass


class CreateWebhook(Body, kw_only=True):
    """No events mean all; without a secret one is made."""

    url: str
    events: list[str] = []
    experiment_id: str = ""
    level: str = Level.INFO
    secret: str = ""


class OneWebhook(Body, kw_only=True):
    webhook_id: str


class ListDeliveries(Body, kw_only=True):
    webhook_id: str = ""
    max_results: int = 100
