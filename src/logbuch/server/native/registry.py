"""What the registry knows beyond MLflow's protocol: who changed what, and where a version comes from."""

from __future__ import annotations

from typing import Any

from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store.registry import audit, lineage
from logbuch.wire import registry as wire
from logbuch.wire.mlflow import present


async def search_audit(context: Context, request: wire.SearchAudit) -> Any:
    found, token = await context.read(
        audit.entries, request.name, request.version, request.max_results, request.page_token
    )
    return present({"entries": [wire.audit_entry(noun) for noun in found], "next_page_token": token})


async def get_lineage(context: Context, request: wire.OfVersion) -> Any:
    return wire.lineage(await context.read(lineage.of_version, request.name, request.version))


_READ = Permission.READ
ROUTES = (
    Route("GET", "/registry/audit", wire.SearchAudit, _READ, search_audit, "Who changed what in the registry"),
    Route("GET", "/registry/lineage", wire.OfVersion, _READ, get_lineage, "Run, commit and data sets of a version"),
)
