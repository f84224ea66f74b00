"""What the registry knows beyond MLflow's protocol: who changed what, where a version comes from, what a run made."""

from __future__ import annotations

from typing import Any

from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store.registry import audit, lineage, made
from logbuch.store.tx import Tx
from logbuch.wire import logged
from logbuch.wire import registry as wire
from logbuch.wire.mlflow import present

Answer = dict[str, Any]


def _audit(tx: Tx, request: wire.SearchAudit, by: Caller) -> Answer:  # noqa: ARG001
    found, token = audit.entries(tx, request.name, request.version, request.max_results, request.page_token)
    return present({"entries": [wire.audit_entry(noun) for noun in found], "next_page_token": token})


def _lineage(tx: Tx, request: wire.OfVersion, by: Caller) -> Answer:  # noqa: ARG001
    return wire.lineage(lineage.of_version(tx, request.name, request.version))


def _models_of_run(tx: Tx, request: wire.AskModelsOfRun, by: Caller) -> Answer:  # noqa: ARG001
    found = made.of_run(tx, request.run_id)
    return {
        "made": [_model_of_run(one) for one in found.made],
        "made_total": found.made_total,
        "used": [_model_of_run(one) for one in found.used],
        "used_total": found.used_total,
        "versions": [wire.version(one) for one in found.versions],
        "versions_total": found.versions_total,
    }


def _model_of_run(one: made.ModelOfRun) -> Answer:
    return logged.model(one.model) | ({} if one.step is None else {"step": one.step})


OPERATIONS = (
    Operation("GET", "/registry/audit", wire.SearchAudit, False, _audit, "Who changed what in the registry"),
    Operation("GET", "/registry/lineage", wire.OfVersion, False, _lineage, "Run, commit and data sets of a version"),
    Operation(
        "GET", "/runs/models", wire.AskModelsOfRun, False, _models_of_run, "Models and registered versions of a run"
    ),
)
