"""Metrics of models: points that a run logged and linked to a model, on a data set where one is named.

The point itself is the run's, like any other; here stands what it says of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.logged import ModelMetric
from logbuch.store import schema
from logbuch.store.metrics import ordinal
from logbuch.store.model_tables import logged_model_metrics, logged_models
from logbuch.store.query.among import among
from logbuch.store.tx import Tx

_table = logged_model_metrics


def link(tx: Tx, run: int, points: Sequence[ModelMetric]) -> None:
    """Notes points of a run that name a model. One that no model of this store bears is an error."""
    ids = _ids(tx, {point.model_id for point in points})
    rows = [_row(ids[point.model_id], run, point) for point in points]
    tx.insert(tx.seam.upsert(_table, _new_point), list({tuple(row.values())[:6]: row for row in rows}.values()))


def of_models(tx: Tx, model_ids: Mapping[int, str]) -> dict[int, list[ModelMetric]]:
    """The points of each model, by its inner id."""
    found: dict[int, list[ModelMetric]] = {}
    if not model_ids:
        return found
    own = _table.c
    query = (
        select(_table, schema.runs.c.run_id)
        .join(schema.runs, schema.runs.c.id == own.run)
        .where(among(own.model, model_ids))
        .order_by(own.model, own.key, own.run, own.step, own.dataset_name, own.dataset_digest)
    )
    for row in tx.execute(query):
        point = ModelMetric(
            key=row.key,
            value=ordinal.decode(row.value),
            timestamp=row.timestamp,
            step=row.step,
            model_id=model_ids[row.model],
            run_id=row.run_id,
            dataset_name=row.dataset_name,
            dataset_digest=row.dataset_digest,
        )
        found.setdefault(row.model, []).append(point)
    return found


def _ids(tx: Tx, model_ids: set[str]) -> dict[str, int]:
    wanted = list(filter(limits.is_storable, model_ids))
    query = select(logged_models.c.model_id, logged_models.c.id).where(logged_models.c.model_id.in_(wanted))
    found = {row.model_id: row.id for row in tx.execute(query)}
    for model_id in model_ids - set(found):
        raise InvalidInput(f"Invalid value {limits.clip(model_id)!r} for parameter 'model_id': no such logged model.")
    return found


def _row(model: int, run: int, point: ModelMetric) -> dict[str, Any]:
    limits.check_text(point.dataset_name, "dataset_name", limits.DATASET_NAME_LENGTH)
    limits.check_text(point.dataset_digest, "dataset_digest", limits.DATASET_DIGEST_LENGTH)
    return {
        "model": model,
        "key": point.key,
        "run": run,
        "dataset_name": point.dataset_name,
        "dataset_digest": point.dataset_digest,
        "step": point.step,
        "timestamp": point.timestamp,
        "value": ordinal.encode(point.value),
    }


def _new_point(new: Any) -> Mapping[str, Any]:
    return {"timestamp": new.timestamp, "value": new.value}
