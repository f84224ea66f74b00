"""The OpenAPI document, made from the table of routes and the request structs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from logbuch.server.routes import Route
from logbuch.version import __version__

Tables = Sequence[tuple[tuple[str, ...], tuple[Route, ...]]]
_ERROR = {
    "description": "An error in MLflow's form",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error_code", "message"],
                "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
            }
        }
    },
}


def document(tables: Tables) -> dict[str, Any]:
    """OpenAPI 3.1 of the first base of every table; the others serve the same."""
    routes = [(bases[0] + route.path, route) for bases, rows in tables for route in rows]
    requests = sorted(
        {route.request for _, route in routes if route.request is not None}, key=lambda type_: type_.__name__
    )
    _, components = msgspec.json.schema_components(requests, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for path, route in routes:
        paths.setdefault(path, {})[route.method.lower()] = _operation(path, route, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Logbuch",
            "version": __version__,
            "description": "MLflow's REST protocol, and Logbuch's own",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(path: str, route: Route, components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}{path.replace('/', '_').replace('{', '').replace('}', '')}",
        "x-permission": route.permission.value,
        "responses": {"200": {"description": "Done"}, "4XX": _ERROR},
    }
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in re.findall(r"\{(\w+)\}", path)
    ]
    if route.request is not None and route.method == "GET":
        parameters += _query(components[route.request.__name__])
    elif route.request is not None:
        reference = {"$ref": f"#/components/schemas/{route.request.__name__}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    elif route.raw_body:
        schema = {"type": "string", "format": "binary"}
        operation["requestBody"] = {"content": {route.media_type: {"schema": schema}}}
    return operation | ({"parameters": parameters} if parameters else {})


def _query(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": described}
        for name, described in schema["properties"].items()
    ]
