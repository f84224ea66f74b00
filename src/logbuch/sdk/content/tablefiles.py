"""Tables that grow in a JSON file of a run: ``{"columns": [...], "data": [[...], ...]}``, as MLflow keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from logbuch.errors import InvalidInput, NotFound, Unavailable
from logbuch.model import Run, ViewType
from logbuch.sdk import tables
from logbuch.sdk.artifacts import files
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.connection import Connection
from logbuch.sdk.content import pictures, render, tablerows
from logbuch.sdk.content.tablerows import Table
from logbuch.sdk.writer import RunWriter

_RUNS_PER_PAGE = 1000


def log(connection: Connection, writer: RunWriter, data: Any, artifact_file: str) -> None:
    """Queues the rows of a dict of columns or a DataFrame."""
    files.check_path(artifact_file)
    if not artifact_file.endswith(".json"):
        raise InvalidInput(f"A table is kept as JSON: {artifact_file!r} must end in .json.")
    columns, rows = render.table(data)

    def cell(value: Any) -> Any:
        return pictures.keep(connection, writer, value) if render.is_picture(value) else render.plain_value(value)

    plain = [[cell(value) for value in row] for row in rows]
    content = json.dumps({"columns": columns, "data": plain}, ensure_ascii=False).encode()
    with files.never_fatal(connection, writer, artifact_file):
        copy = connection.spool.keep(content)
        if copy is None:
            raise Unavailable("there is no room for its rows")
        writer.file(connection.spool.append(writer.info, artifact_file, copy))


def load(
    backend: Backend,
    experiment_id: str,
    artifact_file: str,
    run_ids: Sequence[str] | None,
    extra_columns: Sequence[str],
) -> Any:
    """The rows of all runs that have this table, in one DataFrame (or :class:`RunTable`)."""
    runs = _runs_with(backend, experiment_id, artifact_file, run_ids)
    columns: list[str] = []
    rows: list[list[Any]] = []
    for run in runs:
        table = tablerows.read(backend, run.info, artifact_file)
        if table is not None:
            columns, rows = tablerows.merged((columns, rows), _extended(table, run, extra_columns))
    if not columns:
        raise NotFound(f"No run of experiment {experiment_id} has the table {artifact_file!r}.")
    return tables.frame({name: [row[at] for row in rows] for at, name in enumerate(columns)})


def _runs_with(backend: Backend, experiment_id: str, path: str, run_ids: Sequence[str] | None) -> list[Run]:
    if run_ids is not None:
        return [backend.get_run(run_id) for run_id in run_ids]
    found: list[Run] = []
    token: str | None = ""
    while token is not None:
        page, token = backend.search_runs([experiment_id], "", ViewType.ACTIVE_ONLY, _RUNS_PER_PAGE, (), token)
        found += [run for run in page if path in tablerows.noted(run)]
    return found


def _extended(table: Table, run: Run, extra: Sequence[str]) -> Table:
    fields: Mapping[str, list[Any]] = tables.of_runs([run])
    cells = [fields.get(name, [getattr(run.info, name, None)])[0] for name in extra]
    return [*table[0], *extra], [[*row, *cells] for row in table[1]]
