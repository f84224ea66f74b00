"""Requests about alerts and the rules that raise them."""

from __future__ import annotations

from logbuch import limits
from logbuch.alerts import Level
from logbuch.wire.mlflow import Body


class ListAlerts(Body, kw_only=True):
    """Alerts of experiments, of runs, or of all; with ``open`` only those that nobody has acknowledged."""

    experiment_id: list[str] = []
    run_id: list[str] = []
    open: bool | None = None
    max_results: int = limits.ALERTS_PER_PAGE_DEFAULT
    page_token: str = ""


class AcknowledgeAlerts(Body, kw_only=True):
    """Alerts by their IDs, or all open ones of a run or of an experiment."""

    alert_ids: list[str] = []
    experiment_id: str = ""
    run_id: str = ""


class ListRules(Body, kw_only=True):
    experiment_id: str


class CreateRule(Body, kw_only=True):
    experiment_id: str
    condition: str
    level: str = Level.WARNING


class DeleteRule(Body, kw_only=True):
    rule_id: str
