"""What the registry knows beyond MLflow's protocol: who changed what, and where a version comes from."""

from __future__ import annotations

from typing import Any

from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store.registry import audit, lineage
from logbuch.store.tx import Tx
from logbuch.wire import registry as wire
from logbuch.wire.mlflow import present

Answer = dict[str, Any]


def _audit(tx: Tx, request: wire.SearchAudit, by: Caller) -> Answer:  # noqa: ARG001
    found, token = audit.entries(tx, request.name, request.version, request.max_results, request.page_token)
    return present({"entries": [wire.audit_entry(noun) for noun in found], "next_page_token": token})


def _lineage(tx: Tx, request: wire.OfVersion, by: Caller) -> Answer:  # noqa: ARG001
    return wire.lineage(lineage.of_version(tx, request.name, request.version))


OPERATIONS = (
    Operation("GET", "/registry/audit", wire.SearchAudit, False, _audit, "Who changed what in the registry"),
    Operation("GET", "/registry/lineage", wire.OfVersion, False, _lineage, "Run, commit and data sets of a version"),
)
