"""MLflow's REST messages about registered models and model versions, and Logbuch's own about their history."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch import limits
from logbuch.registry import AuditEntry, Lineage, ModelVersion, RegisteredModel
from logbuch.wire.mlflow import Body, WireTag, dataset_input, present, run_info


class CreateModel(Body, kw_only=True):
    name: str
    tags: list[WireTag] = []
    description: str = ""


class OfModel(Body, kw_only=True):
    name: str


class RenameModel(Body, kw_only=True):
    name: str
    new_name: str


class UpdateModel(Body, kw_only=True):
    name: str
    description: str = ""


class SetModelTag(Body, kw_only=True):
    name: str
    key: str
    value: str = ""


class DeleteModelTag(Body, kw_only=True):
    name: str
    key: str


class SearchModels(Body, kw_only=True):
    filter: str = ""
    max_results: int = limits.MODELS_PER_PAGE_DEFAULT
    order_by: list[str] = []
    page_token: str = ""


class LatestVersions(Body, kw_only=True):
    name: str
    stages: list[str] = []


class SetAlias(Body, kw_only=True):
    name: str
    alias: str
    version: str


class OfAlias(Body, kw_only=True):
    name: str
    alias: str


class CreateVersion(Body, kw_only=True):
    name: str
    source: str
    run_id: str = ""
    tags: list[WireTag] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class OfVersion(Body, kw_only=True):
    name: str
    version: str


class UpdateVersion(OfVersion, kw_only=True):
    description: str = ""


class TransitionStage(OfVersion, kw_only=True):
    stage: str
    archive_existing_versions: bool = False


class SetVersionTag(OfVersion, kw_only=True):
    key: str
    value: str = ""


class DeleteVersionTag(OfVersion, kw_only=True):
    key: str


class SearchVersions(Body, kw_only=True):
    filter: str = ""
    max_results: int = limits.VERSIONS_PER_PAGE
    order_by: list[str] = []
    page_token: str = ""


class AskModelsOfRun(Body, kw_only=True):
    run_id: str


class SearchAudit(Body, kw_only=True):
    """Entries of all models, of one, or of one of its versions."""

    name: str = ""
    version: str = ""
    max_results: int = limits.AUDIT_PER_PAGE_DEFAULT
    page_token: str = ""


# -- answers -----------------------------------------------------------------------------------------------------------


def model(noun: RegisteredModel) -> dict[str, Any]:
    shown = {
        "name": noun.name,
        "creation_timestamp": noun.creation_timestamp,
        "last_updated_timestamp": noun.last_updated_timestamp,
    }
    return shown | present(
        {
            "description": noun.description,
            "latest_versions": [version(one) for one in noun.latest_versions],
            "tags": noun.tag_list,
            "aliases": noun.alias_list,
        }
    )


def version(noun: ModelVersion) -> dict[str, Any]:
    shown = {
        "name": noun.name,
        "version": noun.version,
        "creation_timestamp": noun.creation_timestamp,
        "last_updated_timestamp": noun.last_updated_timestamp,
        "current_stage": noun.current_stage,
        "description": noun.description,
        "source": noun.source,
        "run_id": noun.run_id,
        "status": noun.status,
        "run_link": noun.run_link,
    }
    return shown | present(
        {"user_id": noun.user_id, "model_id": noun.model_id, "tags": noun.tag_list, "aliases": noun.aliases}
    )


def audit_entry(noun: AuditEntry) -> dict[str, Any]:
    return {key: value for key, value in msgspec.structs.asdict(noun).items() if value is not None}


def lineage(noun: Lineage) -> dict[str, Any]:
    shown = {
        "git_commit": noun.git_commit,
        "git_branch": noun.git_branch,
        "git_repository": noun.git_repository,
        "git_dirty": noun.git_dirty,
        "experiment_name": noun.experiment_name,
        "model_id": noun.model_id,
        "logged_model_name": noun.logged_model_name,
        "datasets": [dataset_input(used) for used in noun.datasets],
    }
    return present(shown) | ({} if noun.run is None else {"run": run_info(noun.run)})
