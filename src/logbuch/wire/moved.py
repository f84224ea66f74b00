"""Models on the move, as JSON: lines of an export, and what a server is asked to take over.

The fields are those of the nouns; a value that is no number is a word, as in MLflow's protocol.
"""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch.errors import InvalidInput
from logbuch.limits import DIGITS, clip
from logbuch.logged import MovedModel
from logbuch.registry import MovedRegistration
from logbuch.wire.mlflow import Body, number


class TakeModels(Body, kw_only=True):
    """Models to take over: logged ones into an experiment, registered ones. ``origin`` says where they come from."""

    experiment_id: str = ""
    logged: list[dict[str, Any]] = []
    registered: list[dict[str, Any]] = []
    origin: str = ""


def logged_out(noun: MovedModel) -> dict[str, Any]:
    """Without what holds at its place alone: where its files lie, and its registrations."""
    body: dict[str, Any] = msgspec.to_builtins(noun)
    for point in body["model"]["metric_points"]:
        point["value"] = number(point["value"])
    body["model"] |= {"artifact_location": "", "registrations": []}
    return body


def logged_in(body: dict[str, Any]) -> MovedModel:
    """InvalidInput for what is no logged model."""
    try:
        for point in body["model"].get("metric_points", ()):
            point["value"] = float(point["value"])
        return msgspec.convert(body, MovedModel)
    except (msgspec.ValidationError, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"That is no logged model: {clip(str(error))}.") from None


def registered_out(noun: MovedRegistration) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(noun)
    body["model"]["latest_versions"] = []
    for version in body["versions"]:
        version["location"] = ""
    return body


def registered_in(body: dict[str, Any]) -> MovedRegistration:
    """InvalidInput for what is no registered model."""
    try:
        found = msgspec.convert(body, MovedRegistration)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"That is no registered model: {clip(str(error))}.") from None
    if not 0 <= found.last_version < 2**31 or not all(_is_number(one.version) for one in found.versions):
        raise InvalidInput("That is no registered model: a version is no number.")
    return found


def _is_number(version: str) -> bool:
    return version.isascii() and version.isdecimal() and len(version) <= DIGITS
