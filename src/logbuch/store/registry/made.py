"""What a run has to do with models: those that it logged and used, and the registered versions made of its files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func, select

from logbuch import limits
from logbuch.logged import LoggedModel
from logbuch.model import Noun
from logbuch.registry import ModelVersion
from logbuch.store import runs
from logbuch.store.logged import models as logged
from logbuch.store.logged import of_runs
from logbuch.store.model_tables import logged_models, model_versions, run_models
from logbuch.store.registry import assembly
from logbuch.store.tx import Tx


class ModelOfRun(Noun, frozen=True, kw_only=True):
    """A logged model that a run made or used; ``step`` is None where the run did not say."""

    model: LoggedModel
    step: int | None = None


class ModelsOfRun(Noun, frozen=True, kw_only=True):
    """The newest of each kind, and how many there are."""

    made: tuple[ModelOfRun, ...]
    made_total: int
    used: tuple[ModelOfRun, ...]
    used_total: int
    versions: tuple[ModelVersion, ...]
    versions_total: int


def of_run(tx: Tx, run_id: str) -> ModelsOfRun:
    """The models and versions of a run, the newest first, at most ``limits.MODELS_OF_RUN`` of a kind, and how many
    there are of each. Deleted models are left out; their versions are not."""
    head = runs.row(tx, run_id)
    steps = of_runs.of_runs(tx, [head.id])
    made = _linked(head.id, output=True) | (logged_models.c.source_run_id == head.run_id)
    used = _linked(head.id, output=False)
    named = select(run_models.c.model_id).where(run_models.c.run == head.id, run_models.c.output.is_(True))
    of_files = (model_versions.c.run_id == head.run_id) | model_versions.c.model_id.in_(named)
    newest = model_versions.c.creation_time.desc(), model_versions.c.id.desc()
    rows = tx.execute(assembly.NAMED.where(of_files).order_by(*newest).limit(limits.MODELS_OF_RUN)).all()
    return ModelsOfRun(
        made=_models(tx, made, steps.get((head.id, True), ())),
        made_total=_count(tx, logged_models, made, logged_models.c.deleted.is_(False)),
        used=_models(tx, used, steps.get((head.id, False), ())),
        used_total=_count(tx, logged_models, used, logged_models.c.deleted.is_(False)),
        versions=tuple(assembly.versions(tx, rows)),
        versions_total=_count(tx, model_versions, of_files),
    )


def _linked(run: int, *, output: bool) -> ColumnElement[bool]:
    own = run_models.c
    return logged_models.c.model_id.in_(select(own.model_id).where(own.run == run, own.output.is_(output)))


def _models(tx: Tx, which: ColumnElement[bool], links: Iterable[Any]) -> tuple[ModelOfRun, ...]:
    own = logged_models.c
    query = select(logged_models).where(which, own.deleted.is_(False)).limit(limits.MODELS_OF_RUN)
    rows = tx.execute(query.order_by(own.creation_time.desc(), own.id.desc())).all()
    steps = {link.model_id: link.step for link in links}
    return tuple(ModelOfRun(model=noun, step=steps.get(noun.model_id)) for noun in logged.nouns(tx, rows))


def _count(tx: Tx, table: Any, *which: ColumnElement[bool]) -> int:
    return int(tx.execute(select(func.count()).select_from(table).where(*which)).scalar_one())
