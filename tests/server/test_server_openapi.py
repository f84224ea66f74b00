"""The table of routes, its document, and a fuzzer that reads it: whatever a client sends is never a 5xx."""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from logbuch.server import openapi
from logbuch.server.app import TABLES
from logbuch.server.routes import Permission, Route
from logbuch.wire.ingest import CONTENT_TYPE
from support.servers import Server

schemathesis.serializer.alias(CONTENT_TYPE, "application/octet-stream")
DOCUMENT = openapi.document(TABLES)
schema = schemathesis.openapi.from_dict(DOCUMENT)
# An endless stream is no request with an answer to check.
fuzzed = schema.exclude(path_regex="/live$")


def test_every_route_declares_a_permission_and_is_described() -> None:
    routes = [route for _, rows in TABLES for route in rows]
    assert len(routes) > 40
    for route in routes:
        assert isinstance(route.permission, Permission)
        assert route.summary
        assert route.handle.__module__.startswith("logbuch.server")


def test_a_route_without_a_permission_stops_the_start() -> None:
    async def handle(context: object, request: object) -> None: ...

    with pytest.raises(TypeError, match="permission"):
        Route("GET", "/x", None, None, handle, "x")  # type: ignore[arg-type]


def test_the_document_is_served(shared_server: Server) -> None:
    assert httpx.get(f"{shared_server.url}/api/logbuch/1/openapi.json").json() == DOCUMENT
    assert "/api/2.0/mlflow/runs/log-batch" in DOCUMENT["paths"]


@pytest.mark.slow
@fuzzed.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_input_is_a_server_error(case: schemathesis.Case, shared_server: Server) -> None:
    response = case.call(base_url=shared_server.url)
    assert response.status_code < 500 or response.status_code == 501, response.text
    if response.status_code >= 400 and case.method != "HEAD":
        assert set(response.json()) >= {"error_code", "message"}
