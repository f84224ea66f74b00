"""The runs table of the page: heads of runs and only those columns that were asked for, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Integer, Row, and_, func, select

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import LifecycleStage, Noun, RunStatus, ViewType
from logbuch.store import runs, schema, search
from logbuch.store.heads import RunRow
from logbuch.store.metrics import ordinal
from logbuch.store.query.among import among
from logbuch.store.query.columns import fetch
from logbuch.store.tx import Tx, chunks

METRIC_PARTS = ("last", "step", "min", "min_step", "max", "max_step")
Column = dict[str, list[Any]]


class Head(Noun, frozen=True, kw_only=True):
    """The head of a run in a table; a ``status`` is MLflow's, or LOST.

    ``lost_time`` is when its process was last heard of, where the run is lost or was ended for it."""

    run_id: str
    experiment_id: str
    name: str
    user: str
    status: str
    start_time: int
    end_time: int | None
    lost_time: int | None
    lifecycle_stage: LifecycleStage


class Page(Noun, frozen=True, kw_only=True):
    """One page: ``columns`` holds, for each asked-for column, arrays parallel to ``runs``; None where missing."""

    runs: list[Head]
    columns: dict[str, Column]
    total: int
    next_page_token: str | None


def page(
    tx: Tx,
    query: search.RunQuery,
    columns: Sequence[str],
    max_results: int,
    page_token: str = "",
    offset: int = 0,
    parts: Sequence[str] = METRIC_PARTS,
) -> Page:
    """A page of the table. Columns are named ``metrics.KEY``, ``params.KEY`` and ``tags.KEY``; of metrics ``parts``."""
    for part in parts:
        if part not in METRIC_PARTS:
            raise InvalidInput(
                f"Invalid value {limits.clip(part)!r} for parameter 'parts': it is one of {', '.join(METRIC_PARTS)}."
            )
    if len(columns) > limits.TABLE_COLUMNS:
        raise InvalidInput(f"'columns' names {len(columns)} columns; at most {limits.TABLE_COLUMNS} are allowed.")
    found = search.Search(tx, query)
    rows, token = found.page(max_results, page_token, offset)
    return Page(
        runs=[head(row) for row in rows],
        columns=values(tx, [row.id for row in rows], columns, parts),
        total=found.count(),
        next_page_token=token,
    )


def heads(tx: Tx, ids: Sequence[int]) -> list[Head]:
    """The heads of runs by their inner ids."""
    table = schema.runs
    return [head(row) for part in chunks(ids) for row in tx.execute(select(table).where(table.c.id.in_(part)))]


def head(row: RunRow | Row[Any]) -> Head:
    return Head(
        run_id=row.run_id,
        experiment_id=str(row.experiment),
        name=row.name,
        user=row.user_id,
        status=runs.shown_status(row),
        start_time=row.start_time,
        end_time=row.end_time,
        lost_time=row.lost_time,
        lifecycle_stage=LifecycleStage.DELETED if row.deleted else LifecycleStage.ACTIVE,
    )


def values(
    tx: Tx, runs: Sequence[int], columns: Sequence[str], parts: Sequence[str] = METRIC_PARTS
) -> dict[str, Column]:
    """The asked-for columns of these runs."""
    wanted: dict[str, set[str]] = {"metrics": set(), "params": set(), "tags": set()}
    for column in columns:
        kind, _, key = column.partition(".")
        if kind not in wanted or not key or not limits.is_storable(key):
            raise InvalidInput(
                f"Invalid value {limits.clip(column)!r} for parameter 'columns': "
                "a column is metrics.KEY, params.KEY or tags.KEY."
            )
        wanted[kind].add(key)
    places = {run: place for place, run in enumerate(runs)}
    found = _metrics(tx, places, wanted["metrics"], parts)
    found |= _texts(tx, places, schema.params, "params", wanted["params"])
    found |= _texts(tx, places, schema.tags, "tags", wanted["tags"])
    return {column: found[column] for column in columns}


def _metrics(tx: Tx, places: dict[int, int], wanted: set[str], parts: Sequence[str]) -> dict[str, Column]:
    table = schema.latest.c
    ids = tx.known_names(wanted)
    made: dict[str, Column] = {key: {part: [None] * len(places) for part in parts} for key in wanted}
    names = {id_: name for name, id_ in ids.items()}
    columns = [table["value" if part == "last" else part] for part in parts]
    query = select(table.run, table.key, *columns).where(among(table.run, places), among(table.key, names))
    runs, keys, *found = fetch(tx, query)
    at = [places[run] for run in runs]
    for part, column in zip(parts, found, strict=True):
        targets = {key: made[name][part] for key, name in names.items()}
        for place, key, value in zip(at, keys, column if part.endswith("step") else _decoded(column), strict=True):
            targets[key][place] = value
    return {f"metrics.{key}": column for key, column in made.items()}


def _decoded(ordinals: Sequence[int | None]) -> list[float | None]:
    """The numbers of ordinals; None stays None."""
    known = np.array([0 if value is None else value for value in ordinals], np.int64)
    numbers = ordinal.decode_array(known).tolist()
    return [None if value is None else number for value, number in zip(ordinals, numbers, strict=True)]


def _texts(tx: Tx, places: dict[int, int], table: Any, kind: str, wanted: set[str]) -> dict[str, Column]:
    ids = tx.known_names(wanted)
    made: dict[str, Column] = {key: {"value": [None] * len(places)} for key in wanted}
    names = {id_: name for name, id_ in ids.items()}
    query = select(table.c.run, table.c.key, table.c.value)
    found = fetch(tx, query.where(among(table.c.run, places), among(table.c.key, names)))
    for run, key, value in zip(*found, strict=True):
        made[names[key]]["value"][places[run]] = value
    return {f"{kind}.{key}": column for key, column in made.items()}


class ExperimentUse(Noun, frozen=True, kw_only=True):
    """An experiment as the list of experiments shows it."""

    experiment_id: str
    name: str
    lifecycle_stage: LifecycleStage
    creation_time: int
    last_update_time: int
    tags: dict[str, str]
    runs: int
    running: int
    last_run_time: int | None


def experiments(tx: Tx, view: ViewType) -> list[ExperimentUse]:
    """All experiments with the number of their runs, the newest first."""
    table = schema.runs.c
    running = func.sum(and_(table.status == RunStatus.RUNNING.wire, table.lost_time.is_(None)).cast(Integer))
    query = (
        select(table.experiment, func.count(), running, func.max(table.start_time))
        .where(table.deleted.is_(False))
        .group_by(table.experiment)
    )
    uses = {row[0]: row for row in tx.execute(query)}
    found, _ = search.experiments(tx, view=view)
    none: Any = (0, 0, 0, None)
    return [
        ExperimentUse(
            experiment_id=item.experiment_id,
            name=item.name,
            lifecycle_stage=item.lifecycle_stage,
            creation_time=item.creation_time,
            last_update_time=item.last_update_time,
            tags=dict(item.tags),
            runs=int(use[1]),
            running=int(use[2]),
            last_run_time=use[3],
        )
        for item in found
        for use in [uses.get(int(item.experiment_id), none)]
    ]
