"""Registered and logged models in the JSON of MLflow's protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.logged import LoggedModel, LoggedModelStatus, ModelMetric, Registration
from logbuch.model import Param, Tag
from logbuch.registry import Action, AuditEntry, ModelVersion, RegisteredModel, RegisteredModelAlias, Stage

Json = Mapping[str, Any]


def model(body: Json) -> RegisteredModel:
    return RegisteredModel(
        name=body["name"],
        creation_timestamp=int(body.get("creation_timestamp", 0)),
        last_updated_timestamp=int(body.get("last_updated_timestamp", 0)),
        description=body.get("description") or "",
        latest_versions=tuple(version(one) for one in body.get("latest_versions", ())),
        tag_list=tags(body.get("tags", ())),
        alias_list=tuple(
            RegisteredModelAlias(alias=one["alias"], version=str(one["version"])) for one in body.get("aliases", ())
        ),
    )


def version(body: Json) -> ModelVersion:
    return ModelVersion(
        name=body["name"],
        version=str(body["version"]),
        creation_timestamp=int(body.get("creation_timestamp", 0)),
        last_updated_timestamp=int(body.get("last_updated_timestamp", 0)),
        current_stage=Stage(body.get("current_stage") or "None"),
        source=body.get("source", ""),
        description=body.get("description") or "",
        user_id=body.get("user_id") or "",
        run_id=body.get("run_id") or "",
        run_link=body.get("run_link") or "",
        model_id=body.get("model_id") or "",
        status=body.get("status", "READY"),
        status_message=body.get("status_message") or "",
        tag_list=tags(body.get("tags", ())),
        aliases=tuple(body.get("aliases", ())),
    )


def logged(body: Json) -> LoggedModel:
    info, data = body["info"], body.get("data", {})
    return LoggedModel(
        model_id=info["model_id"],
        experiment_id=str(info.get("experiment_id", "")),
        name=info.get("name", ""),
        artifact_location=info.get("artifact_uri", ""),
        creation_timestamp=int(info.get("creation_timestamp_ms", 0)),
        last_updated_timestamp=int(info.get("last_updated_timestamp_ms", 0)),
        status=LoggedModelStatus.named(info.get("status", "UNSPECIFIED")),
        model_type=info.get("model_type", ""),
        source_run_id=info.get("source_run_id", ""),
        status_message=info.get("status_message", ""),
        tag_list=tags(info.get("tags", ())),
        param_list=tuple(Param(key=one["key"], value=one.get("value", "")) for one in data.get("params", ())),
        metric_points=tuple(metric(one) for one in data.get("metrics", ())),
        registrations=tuple(
            Registration(name=one["name"], version=str(one["version"])) for one in info.get("registrations", ())
        ),
    )


def metric(body: Json) -> ModelMetric:
    return ModelMetric(
        key=body["key"],
        value=float(body.get("value", 0.0)),
        timestamp=int(body.get("timestamp", 0)),
        step=int(body.get("step", 0)),
        model_id=body.get("model_id", ""),
        run_id=body.get("run_id", ""),
        dataset_name=body.get("dataset_name", ""),
        dataset_digest=body.get("dataset_digest", ""),
    )


def audit_entry(body: Json) -> AuditEntry:
    return AuditEntry(
        id=body["id"],
        time=body["time"],
        user=body["user"],
        address=body["address"],
        action=Action(body["action"]),
        name=body["name"],
        version=body.get("version"),
        alias=body["alias"],
        before=body["before"],
        after=body["after"],
    )


def tags(found: Iterable[Json]) -> tuple[Tag, ...]:
    return tuple(Tag(key=tag["key"], value=tag.get("value", "")) for tag in found)


def pairs_out(found: Mapping[str, Any] | None, what: str) -> list[dict[str, str]]:
    """Tags or params of a call, as they go out."""
    for key in found or {}:
        if not isinstance(key, str):
            raise InvalidInput(f"Invalid {what} key {key!r}: it must be a string.")
    return [{"key": key, "value": str(value)} for key, value in (found or {}).items()]
