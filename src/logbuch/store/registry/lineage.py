"""Where a model version comes from: run, code, data."""

from __future__ import annotations

from logbuch.errors import NotFound
from logbuch.registry import Lineage
from logbuch.store import experiments, runs
from logbuch.store.logged import models as logged
from logbuch.store.registry import lookup
from logbuch.store.tx import Tx


def of_version(tx: Tx, name: str, version: str) -> Lineage:
    """The lineage of a version. What its run did not log, or what has gone since, is empty."""
    row = lookup.version_row(tx, name, version)
    model_name = _logged_name(tx, row.model_id)
    try:
        run = runs.get(tx, row.run_id) if row.run_id else None
    except NotFound:
        run = None
    if run is None:
        return Lineage(model_id=row.model_id, logged_model_name=model_name)
    tags = run.data.tags
    return Lineage(
        run=run.info,
        experiment_name=experiments.get(tx, run.info.experiment_id).name,
        git_commit=tags.get("mlflow.source.git.commit", ""),
        git_branch=tags.get("mlflow.source.git.branch", ""),
        git_repository=tags.get("mlflow.source.git.repoURL", ""),
        git_dirty=tags.get("mlflow.source.git.dirty", ""),
        datasets=run.inputs.dataset_inputs,
        model_id=row.model_id,
        logged_model_name=model_name,
    )


def _logged_name(tx: Tx, model_id: str) -> str:
    try:
        return logged.get(tx, model_id).name if model_id else ""
    except NotFound:
        return ""
