"""Data sets, and which runs used them in which context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, update

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Dataset, DatasetInput, DatasetSummary, Tag
from logbuch.store import experiments, schema
from logbuch.store.heads import RunRow
from logbuch.store.query.columns import OfRuns
from logbuch.store.seam import new_value
from logbuch.store.tx import Tx, chunks

CONTEXT_TAG = "mlflow.data.context"
SUMMARIES = 1000
_datasets, _inputs, _tags = schema.datasets, schema.inputs, schema.input_tags
_OF_RUNS = OfRuns(_inputs.c.run, _inputs.c.dataset)


def write(tx: Tx, head: RunRow, wanted: Sequence[DatasetInput]) -> None:
    """Notes the data sets that a run used. A data set is kept once an experiment; the first description stays."""
    if len(wanted) > limits.DATASETS_PER_CALL:
        raise InvalidInput(f"'datasets' holds {len(wanted)} data sets; at most {limits.DATASETS_PER_CALL} are allowed.")
    for used in wanted:
        check_input(used)
    position = int(tx.execute(select(func.count()).where(_inputs.c.run == head.id)).scalar_one())
    for offset, used in enumerate(wanted):
        dataset = _dataset_id(tx, head.experiment, used.dataset)
        row = {"run": head.id, "dataset": dataset, "position": position + offset}
        tx.insert(tx.seam.upsert(_inputs, None), [row])
        labels = {tag.key: tag.value for tag in used.tags}
        statement = tx.seam.upsert(_tags, new_value)
        tx.insert(
            statement,
            [{"run": head.id, "dataset": dataset, "key": key, "value": value} for key, value in labels.items()],
        )
    tx.touch(head.id, head.experiment)


def move(tx: Tx, run: int, experiment: int) -> None:
    """Makes a run use the data sets of another experiment, with copies of those that are not there yet."""
    query = select(_datasets).join(_inputs, _inputs.c.dataset == _datasets.c.id).where(_inputs.c.run == run)
    for row in tx.execute(query).all():
        own = _dataset_id(tx, experiment, _noun(row))
        for table in (_inputs, _tags):
            old = (table.c.run == run) & (table.c.dataset == row.id)
            tx.change(update(table).where(old).values(dataset=own))


def of_runs(tx: Tx, runs: Sequence[int]) -> dict[int, list[DatasetInput]]:
    """The data set inputs of each run, in the order in which they were logged."""
    found: dict[int, list[DatasetInput]] = {}
    using, _ = _OF_RUNS.fetch(tx, runs)  # most pages of runs use none, and end here
    for part in chunks(sorted(set(using))):
        query = (
            select(_inputs.c.run, _datasets)
            .join(_datasets, _datasets.c.id == _inputs.c.dataset)
            .where(_inputs.c.run.in_(part))
            .order_by(_inputs.c.run, _inputs.c.position, _inputs.c.dataset)
        )
        rows = tx.execute(query).all()
        labels = _tags_of(tx, sorted({row.run for row in rows})) if rows else {}
        for row in rows:
            tags = tuple(labels.get((row.run, row.id), ()))
            found.setdefault(row.run, []).append(DatasetInput(dataset=_noun(row), tags=tags))
    return found


def summaries(tx: Tx, experiment_ids: Sequence[str]) -> list[DatasetSummary]:
    """The data sets of these experiments, once a context, at most 1,000."""
    ids = [experiments.inner_id(id_) for id_ in experiment_ids]
    context = _tags.c.value.label("context")
    joined = (_tags.c.run == _inputs.c.run) & (_tags.c.dataset == _inputs.c.dataset) & (_tags.c.key == CONTEXT_TAG)
    query = (
        select(_datasets.c.experiment, _datasets.c.name, _datasets.c.digest, context)
        .join(_inputs, _inputs.c.dataset == _datasets.c.id)
        .outerjoin(_tags, joined)
        .where(_datasets.c.experiment.in_(ids))
        .distinct()
        .order_by(_datasets.c.experiment, _datasets.c.name, _datasets.c.digest)
        .limit(SUMMARIES)
    )
    return [
        DatasetSummary(experiment_id=str(row.experiment), name=row.name, digest=row.digest, context=row.context)
        for row in tx.execute(query)
    ]


def _dataset_id(tx: Tx, experiment: int, dataset: Dataset) -> int:
    unique = (
        (_datasets.c.experiment == experiment)
        & (_datasets.c.name == dataset.name)
        & (_datasets.c.digest == dataset.digest)
    )
    found = tx.execute(select(_datasets.c.id).where(unique)).scalar()
    if found is None:
        row = {
            "experiment": experiment,
            "name": dataset.name,
            "digest": dataset.digest,
            "source_type": dataset.source_type,
            "source": dataset.source,
            "schema": dataset.schema,
            "profile": dataset.profile,
        }
        tx.insert(tx.seam.upsert(_datasets, None), [row])
        found = tx.execute(select(_datasets.c.id).where(unique)).scalar_one()
    return int(found)


def _tags_of(tx: Tx, runs: Sequence[int]) -> dict[tuple[int, int], list[Tag]]:
    found: dict[tuple[int, int], list[Tag]] = {}
    query = select(_tags).where(_tags.c.run.in_(runs)).order_by(_tags.c.run, _tags.c.dataset, _tags.c.key)
    for row in tx.execute(query):
        found.setdefault((row.run, row.dataset), []).append(Tag(key=row.key, value=row.value))
    return found


def _noun(row: Row[Any]) -> Dataset:
    return Dataset(
        name=row.name,
        digest=row.digest,
        source_type=row.source_type,
        source=row.source,
        schema=row.schema,
        profile=row.profile,
    )


def check_input(used: DatasetInput) -> None:
    """InvalidInput for a data set that breaks a rule."""
    dataset = used.dataset
    for text, field, limit in (
        (dataset.name, "name", limits.DATASET_NAME_LENGTH),
        (dataset.digest, "digest", limits.DATASET_DIGEST_LENGTH),
        (dataset.source_type, "source_type", limits.DATASET_SOURCE_TYPE_LENGTH),
        (dataset.source, "source", limits.DATASET_SOURCE_LENGTH),
        (dataset.schema or "", "schema", limits.DATASET_SCHEMA_LENGTH),
        (dataset.profile or "", "profile", limits.DATASET_PROFILE_LENGTH),
    ):
        limits.check_text(text, f"dataset.{field}", limit)
    for field in ("name", "digest", "source_type", "source"):
        if not getattr(dataset, field):
            raise InvalidInput(f"Missing value for required parameter 'dataset.{field}'.")
    for tag in used.tags:
        limits.check_text(tag.key, "tags.key", limits.INPUT_TAG_KEY_LENGTH)
        limits.check_text(tag.value, "tags.value", limits.INPUT_TAG_VALUE_LENGTH)
