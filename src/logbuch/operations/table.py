"""All operations, by the base of their addresses."""

from __future__ import annotations

from collections.abc import Sequence

from logbuch.operations import (
    alerts,
    answers,
    cost,
    history,
    logged_models,
    model_versions,
    moving,
    outlines,
    registered_models,
    runs_table,
    webhooks,
)
from logbuch.operations.operation import Operation

MLFLOW_BASE, NATIVE_BASE = "/api/2.0/mlflow", "/api/logbuch/1"
MLFLOW: Sequence[Operation] = (
    *registered_models.OPERATIONS,
    *model_versions.OPERATIONS,
    *logged_models.OPERATIONS,
)
NATIVE: Sequence[Operation] = (
    *history.OPERATIONS,
    *runs_table.OPERATIONS,
    *answers.OPERATIONS,
    *alerts.OPERATIONS,
    *cost.OPERATIONS,
    *webhooks.OPERATIONS,
    *outlines.OPERATIONS,
    *moving.OPERATIONS,
)


def find(method: str, address: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation at an address, and the parts of it that vary; None if there is none."""
    for base, operations in ((MLFLOW_BASE, MLFLOW), (NATIVE_BASE, NATIVE)):
        if address.startswith(base + "/"):
            for operation in operations:
                parts = operation.parts(method, address.removeprefix(base))
                if parts is not None:
                    return operation, parts
    return None
