"""Finding versions: by number, by stage, by alias, and as ``models:/`` addresses name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound
from logbuch.registry import ModelVersion, Stage
from logbuch.store.model_tables import model_aliases, model_versions, registered_models
from logbuch.store.registry import assembly, models
from logbuch.store.tx import Tx

LATEST = "latest"


def version(tx: Tx, name: str, number: str) -> ModelVersion:
    """The version of this number; NotFound if there is none."""
    return assembly.versions(tx, [version_row(tx, name, number)])[0]


def version_row(tx: Tx, name: str, version: str) -> Row[Any]:
    """A version's row with its model's name; NotFound if there is none."""
    number = limits.version_number(version)
    row: Row[Any] | None = None
    if limits.is_storable(name):
        query = assembly.NAMED.where(registered_models.c.name == name, model_versions.c.version == number)
        row = tx.execute(query).first()
    if row is None:
        raise NotFound(f"Model Version (name={limits.clip(name)}, version={limits.clip(version)}) not found")
    return row


def locked(tx: Tx, name: str, version: str) -> Row[Any]:
    """The model's row, locked, so that what is read of its versions holds until the commit."""
    version_row(tx, name, version)  # first, since its message names both
    return models.require(tx, name, lock=True)


def latest(tx: Tx, name: str, stages: Sequence[str] = ()) -> list[ModelVersion]:
    """The newest version of each of these stages, or of all that have one."""
    wanted = {check_stage(stage) for stage in stages} or set(Stage)
    newest = assembly.models(tx, [models.require(tx, name)])[0].latest_versions
    return [version for version in newest if version.current_stage in wanted]


def named(tx: Tx, name: str, which: str) -> ModelVersion:
    """The version that ``models:/<name>/<which>`` means: a number, a stage or ``latest``."""
    stage = Stage.named(which)
    if which.lower() == LATEST:
        return by_alias(tx, name, which)
    if stage is None:
        return version(tx, name, which)
    found = latest(tx, name, [stage])
    if not found:
        raise NotFound(f"No versions of model with name {limits.clip(name)!r} and stage {stage.value!r} found")
    return found[0]


def by_alias(tx: Tx, name: str, alias: str) -> ModelVersion:
    """The version that an alias leads to; ``latest`` is the newest of all."""
    model = models.require(tx, name)
    if alias.lower() == LATEST:
        query = select(func.max(model_versions.c.version)).where(model_versions.c.model == model.id)
        found: int | None = tx.execute(query).scalar()
        if found is None:
            raise NotFound(f"Latest version not found for model {limits.clip(name)}.")
    else:
        found = target(tx, model.id, alias)
        if found is None:
            raise InvalidInput(f"Registered model alias {limits.clip(alias)} not found.")
    return version(tx, name, str(found))


def target(tx: Tx, model: int, alias: str) -> int | None:
    """The number of the version that an alias leads to."""
    if not limits.is_storable(alias):
        return None
    query = (
        select(model_versions.c.version)
        .join(model_aliases, model_aliases.c.version == model_versions.c.id)
        .where(model_aliases.c.model == model, model_aliases.c.alias == alias)
    )
    found: int | None = tx.execute(query).scalar()
    return found


def check_stage(text: str) -> Stage:
    """The stage of a name in any case."""
    stage = Stage.named(text)
    if stage is None:
        raise InvalidInput(
            f"Invalid Model Version stage: {limits.clip(text)}. Value must be one of {', '.join(Stage)}."
        )
    return stage
