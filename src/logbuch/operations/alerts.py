"""Alerts: read, acknowledged; and the rules of experiments that raise them."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store.alarms import alerts, rules
from logbuch.store.alarms.alerts import Wanted
from logbuch.store.tx import Tx
from logbuch.wire import alerts as wire

Answer = dict[str, Any]


def _list(tx: Tx, request: wire.ListAlerts, by: Caller) -> Answer:  # noqa: ARG001
    wanted = Wanted(experiment_ids=request.experiment_id, run_ids=request.run_id, open=bool(request.open))
    return msgspec.structs.asdict(alerts.listed(tx, wanted, request.max_results, request.page_token))


def _acknowledge(tx: Tx, request: wire.AcknowledgeAlerts, by: Caller) -> Answer:
    if not (request.alert_ids or request.experiment_id or request.run_id):
        raise InvalidInput("Missing value for required parameter 'alert_ids': name alerts, a run or an experiment.")
    limits.check_ids(request.alert_ids, "alert_ids")
    wanted = None
    if request.experiment_id or request.run_id:
        wanted = Wanted(
            experiment_ids=[request.experiment_id] if request.experiment_id else [],
            run_ids=[request.run_id] if request.run_id else [],
        )
    return {"acknowledged": alerts.acknowledge(tx, request.alert_ids, wanted, by)}


def _rules(tx: Tx, request: wire.ListRules, by: Caller) -> Answer:  # noqa: ARG001
    return {"rules": rules.of_experiment(tx, request.experiment_id)}


def _create(tx: Tx, request: wire.CreateRule, by: Caller) -> Answer:
    return {"rule": rules.create(tx, request.experiment_id, request.condition, request.level, by)}


def _delete(tx: Tx, request: wire.DeleteRule, by: Caller) -> Answer:  # noqa: ARG001
    rules.remove(tx, request.rule_id)
    return {}


OPERATIONS = (
    Operation("GET", "/alerts", wire.ListAlerts, False, _list, "Alerts, the newest first"),
    Operation(
        "POST", "/alerts/acknowledge", wire.AcknowledgeAlerts, True, _acknowledge, "Note that somebody has seen alerts"
    ),
    Operation("GET", "/alerts/rules", wire.ListRules, False, _rules, "The rules for alerts of an experiment"),
    Operation("POST", "/alerts/rules/create", wire.CreateRule, True, _create, "Watch an experiment's runs for more"),
    Operation("POST", "/alerts/rules/delete", wire.DeleteRule, True, _delete, "Watch no longer"),
)
