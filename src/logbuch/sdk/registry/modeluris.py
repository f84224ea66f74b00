"""Addresses of models: ``models:/<name>/<version>``, ``/<stage>``, ``/latest`` or ``@<alias>``; ``models:/m-<id>``."""

from __future__ import annotations

import re

from logbuch.errors import InvalidInput, NotFound
from logbuch.registry import Stage
from logbuch.sdk.client import LogbuchClient

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
SCHEME = "models:/"


def location(client: LogbuchClient, uri: str) -> tuple[str, str]:
    """Where a model's files lie (``runs:/…`` or ``mlflow-artifacts:/…``), and the path below that which is meant."""
    name, _, rest = uri.removeprefix(SCHEME).partition("/")
    if _MODEL_ID.fullmatch(name):
        return client.get_logged_model(name).artifact_location, rest
    name, at, alias = name.partition("@")
    if not name or (not rest and not alias) or (at and not alias):
        raise InvalidInput(
            f"{uri!r} names no model: use models:/<name>/<version>, models:/<name>/<stage>, models:/<name>@<alias> "
            "or models:/<model id>."
        )
    if at:
        return client.get_model_version_download_uri(name, client.get_model_version_by_alias(name, alias).version), rest
    which, _, rest = rest.partition("/")
    return client.get_model_version_download_uri(name, _number(client, name, which)), rest


def _number(client: LogbuchClient, name: str, which: str) -> str:
    stage = Stage.named(which)
    if which.lower() == "latest":
        return client.get_model_version_by_alias(name, "latest").version
    if stage is None:
        return which
    found = client.get_latest_versions(name, [stage])
    if not found:
        raise NotFound(f"No versions of model with name {name!r} and stage {stage.value!r} found")
    return found[0].version
