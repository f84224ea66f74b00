"""Addresses of models: ``models:/<name>/<version>``, ``/<stage>``, ``/latest`` or ``@<alias>``; ``models:/m-<id>``."""

from __future__ import annotations

import re

from logbuch.errors import InvalidInput, LogbuchError, NotFound
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
        return client.get_model_version_download_uri(name, _led_to(client, name, alias)), rest
    which, _, rest = rest.partition("/")
    return _download_uri(client, name, _number(client, name, which)), rest


def _led_to(client: LogbuchClient, name: str, alias: str) -> str:
    """The version that an alias leads to; what is missing is said with what there is."""
    try:
        return client.get_model_version_by_alias(name, alias).version
    except LogbuchError as error:
        if error.http_status not in (400, 404):
            raise
        known = ", ".join(repr(one) for one in sorted(client.get_registered_model(name).aliases))
        raise InvalidInput(
            f"Model {name!r} has no alias {alias!r}: " + (f"it has {known}." if known else "it has none.")
        ) from None


def _download_uri(client: LogbuchClient, name: str, version: str) -> str:
    try:
        return client.get_model_version_download_uri(name, version)
    except NotFound:
        newest = client.get_model_version_by_alias(name, "latest").version
        raise NotFound(f"Model {name!r} has no version {version}: its newest is {newest}.") from None


def _number(client: LogbuchClient, name: str, which: str) -> str:
    stage = Stage.named(which)
    if which.lower() == "latest":
        return client.get_model_version_by_alias(name, "latest").version
    if stage is None:
        if not which.isdecimal():
            raise InvalidInput(
                f"{which!r} is no version of model {name!r}: use a number, 'latest' or a stage "
                f"({', '.join(one.value for one in Stage)}); an alias is named as models:/{name}@<alias>."
            )
        return which
    found = client.get_latest_versions(name, [stage])
    if not found:
        raise NotFound(f"No versions of model with name {name!r} and stage {stage.value!r} found")
    return found[0].version
