"""From a row of records to parcels: batches within the limits of one call, the order within each run kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from logbuch import limits
from logbuch.model import Metric, Param, Tag
from logbuch.sdk.backends.backend import Batch
from logbuch.sdk.shipping.records import Kind, Record


@dataclass(slots=True)
class Parcel:
    """Records that are sent in one piece: a batch of one run, or a single call without a batch."""

    batch: Batch | None
    records: list[Record] = field(default_factory=list)


def pack(records: Sequence[Record]) -> list[Parcel]:
    """Parcels in an order that keeps each run's own."""
    parcels: list[Parcel] = []
    growing: dict[str, Parcel] = {}
    for record in records:
        if record.kind is Kind.CALL:
            growing.pop(record.run_id, None)
            parcels.append(Parcel(None, [record]))
            continue
        parcel = growing.get(record.run_id)
        if parcel is None or not _fits(parcel, record):
            parcel = growing[record.run_id] = Parcel(Batch(record.run_id))
            parcels.append(parcel)
        _add(parcel, record)
    return parcels


def _fits(parcel: Parcel, record: Record) -> bool:
    batch = parcel.batch
    assert batch is not None
    if len(batch.metrics) + len(batch.params) + len(batch.tags) >= limits.ENTITIES_PER_BATCH:
        return False
    if record.kind is Kind.METRIC:
        return len(batch.metrics) < limits.METRICS_PER_BATCH
    if record.kind is Kind.TAG:
        return len(batch.tags) < limits.TAGS_PER_BATCH
    # A param that occurs twice would spoil the whole batch.
    return len(batch.params) < limits.PARAMS_PER_BATCH and all(p.key != record.body[0] for p in batch.params)


def _add(parcel: Parcel, record: Record) -> None:
    batch = parcel.batch
    assert batch is not None
    parcel.records.append(record)
    if record.kind is Kind.METRIC:
        key, value, timestamp, step = record.body
        batch.metrics.append(Metric(key=key, value=value, timestamp=timestamp, step=step))
    elif record.kind is Kind.PARAM:
        batch.params.append(Param(key=record.body[0], value=record.body[1]))
    else:
        batch.tags.append(Tag(key=record.body[0], value=record.body[1]))
