"""What a training logs: metrics, params and tags of one run, all of a call or nothing of it."""

from __future__ import annotations

from collections.abc import Sequence

from logbuch import limits
from logbuch.logged import ModelMetric
from logbuch.model import DatasetInput, Metric, Param, RunModel, Tag
from logbuch.store import inputs, params, runs
from logbuch.store.logged import metrics as model_metrics
from logbuch.store.logged import of_runs
from logbuch.store.metrics import log
from logbuch.store.metrics.incoming import Incoming
from logbuch.store.tx import Tx


def log_batch(
    tx: Tx,
    run_id: str,
    metrics: Incoming | Sequence[Metric] = (),
    new_params: Sequence[Param] = (),
    tags: Sequence[Tag] = (),
    linked: Sequence[ModelMetric] = (),
) -> None:
    """Logs metrics, params and tags of an active run: a call that breaks a rule leaves nothing behind.

    ``linked`` are those of the metrics that a logged model has too.
    """
    limits.check_batch(len(metrics), len(new_params), len(tags))
    head = runs.active(tx, run_id)
    if new_params and params.write(tx, head.id, new_params, run_id):
        tx.touch(head.id, head.experiment)
    if tags:
        runs.apply_tags(tx, head, tags)
    if metrics:
        log.append(tx, head, metrics if isinstance(metrics, Incoming) else Incoming.of(metrics))
    if linked:
        model_metrics.link(tx, head.id, linked)


def log_inputs(tx: Tx, run_id: str, datasets: Sequence[DatasetInput], models: Sequence[RunModel] = ()) -> None:
    """Notes the data sets and logged models that an active run used."""
    head = runs.active(tx, run_id)
    if datasets or not models:
        inputs.write(tx, head, datasets)
    if models:
        of_runs.write(tx, head, models, output=False)


def log_outputs(tx: Tx, run_id: str, models: Sequence[RunModel]) -> None:
    """Notes the logged models that an active run made."""
    of_runs.write(tx, runs.active(tx, run_id), models, output=True)
