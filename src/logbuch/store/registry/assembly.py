"""From rows to whole models and versions, with one query a kind of data for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select

from logbuch.registry import ModelVersion, RegisteredModel, RegisteredModelAlias, Stage
from logbuch.store.model_tables import (
    model_aliases,
    model_version_tags,
    model_versions,
    registered_model_tags,
    registered_models,
)
from logbuch.store.query.among import among
from logbuch.store.registry import labels
from logbuch.store.tx import Tx

NAMED: Select[Any] = select(model_versions, registered_models.c.name).join(
    registered_models, registered_models.c.id == model_versions.c.model
)
"""Rows of versions with the name of their model."""


def versions(tx: Tx, rows: Sequence[Row[Any]]) -> list[ModelVersion]:
    """Rows of :data:`NAMED` as versions."""
    ids = [row.id for row in rows]
    tags = labels.of(tx, model_version_tags, "version", ids)
    aliases = _aliases(tx, ids)
    return [
        ModelVersion(
            name=row.name,
            version=str(row.version),
            creation_timestamp=row.creation_time,
            last_updated_timestamp=row.last_update_time,
            current_stage=Stage.from_wire(row.stage),
            source=row.source,
            location=row.location,
            description=row.description,
            user_id=row.user_id,
            run_id=row.run_id,
            run_link=row.run_link,
            model_id=row.model_id,
            tag_list=tags.get(row.id, ()),
            aliases=tuple(aliases.get(row.id, ())),
        )
        for row in rows
    ]


def models(tx: Tx, rows: Sequence[Row[Any]]) -> list[RegisteredModel]:
    """Rows of the table of models as models, with the newest version of every stage."""
    ids = [row.id for row in rows]
    tags = labels.of(tx, registered_model_tags, "model", ids)
    newest = _newest(tx, ids)
    aliases = _aliases_of_models(tx, ids)
    return [
        RegisteredModel(
            name=row.name,
            creation_timestamp=row.creation_time,
            last_updated_timestamp=row.last_update_time,
            description=row.description,
            latest_versions=tuple(newest.get(row.id, ())),
            tag_list=tags.get(row.id, ()),
            alias_list=tuple(aliases.get(row.id, ())),
        )
        for row in rows
    ]


def _newest(tx: Tx, ids: Sequence[int]) -> dict[int, list[ModelVersion]]:
    found: dict[int, list[ModelVersion]] = {}
    if not ids:
        return found
    own = model_versions.c
    highest = (
        select(own.model, own.stage, func.max(own.version).label("version"))
        .where(among(own.model, ids))
        .group_by(own.model, own.stage)
        .subquery()
    )
    same = (highest.c.model == own.model) & (highest.c.version == own.version)
    rows = tx.execute(NAMED.join(highest, same).order_by(own.model, own.version)).all()
    for row, version in zip(rows, versions(tx, rows), strict=True):
        found.setdefault(row.model, []).append(version)
    return found


def _aliases(tx: Tx, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    if ids:
        own = model_aliases.c
        query = select(own.version, own.alias).where(among(own.version, ids)).order_by(own.version, own.alias)
        for version, alias in tx.execute(query):
            found.setdefault(version, []).append(alias)
    return found


def _aliases_of_models(tx: Tx, ids: Sequence[int]) -> dict[int, list[RegisteredModelAlias]]:
    found: dict[int, list[RegisteredModelAlias]] = {}
    if ids:
        own = model_aliases.c
        query = (
            select(own.model, own.alias, model_versions.c.version)
            .join(model_versions, model_versions.c.id == own.version)
            .where(among(own.model, ids))
            .order_by(own.model, own.alias)
        )
        for model, alias, version in tx.execute(query):
            found.setdefault(model, []).append(RegisteredModelAlias(alias=alias, version=str(version)))
    return found
