"""Tables that grow in a JSON file of a run: ``{"columns": [...], "data": [[...], ...]}``, as MLflow keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Run, RunInfo, Tag, ViewType
from logbuch.sdk import files, pictures, render, tables
from logbuch.sdk.backend import Backend, Batch
from logbuch.sdk.connection import Connection
from logbuch.sdk.spool import Spool
from logbuch.sdk.writer import RunWriter

LOGGED_TAG = "mlflow.loggedArtifacts"
_RUNS_PER_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Append:
    """Adds rows to a table; done by the sender, since the file must be read first."""

    run: RunInfo
    path: str
    columns: list[str]
    rows: list[list[Any]]
    spool: Spool

    def perform(self, backend: Backend) -> None:
        columns, rows = _merged(_read(backend, self.run, self.path), (self.columns, self.rows))
        content = json.dumps({"columns": columns, "data": rows}, ensure_ascii=False).encode()
        copy = self.spool.keep(content, for_long=False)
        assert copy is not None
        try:
            backend.upload(self.run, self.path, copy)
        finally:
            copy.unlink()
        _note(backend, self.run.run_id, self.path)

    def describe(self) -> str:
        return f"{len(self.rows)} rows of the table {self.path!r}"

    def weight(self) -> int:
        return 1000 + sum(100 + (len(cell) if isinstance(cell, str) else 0) for row in self.rows for cell in row)

    def settled(self) -> None:
        """Nothing is left behind."""


def log(connection: Connection, writer: RunWriter, data: Any, artifact_file: str) -> None:
    """Queues the rows of a dict of columns or a DataFrame."""
    files.check_path(artifact_file)
    if not artifact_file.endswith(".json"):
        raise InvalidInput(f"A table is kept as JSON: {artifact_file!r} must end in .json.")
    columns, rows = render.table(data)

    def cell(value: Any) -> Any:
        return pictures.keep(connection, writer, value) if render.is_picture(value) else render.plain_value(value)

    plain = [[cell(value) for value in row] for row in rows]
    writer.file(Append(writer.info, artifact_file, columns, plain, connection.spool))


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
        table = _read(backend, run.info, artifact_file)
        if table is not None:
            columns, rows = _merged((columns, rows), _extended(table, run, extra_columns))
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
        found += [run for run in page if path in _noted(run)]
    return found


def _read(backend: Backend, run: RunInfo, path: str) -> tuple[list[str], list[list[Any]]] | None:
    try:
        content = b"".join(backend.download(run, path))
    except NotFound:
        return None
    parsed = render.parse_dictionary(content, path)
    if not isinstance(parsed, dict) or not {"columns", "data"} <= parsed.keys():
        raise InvalidInput(f"The artifact {path!r} of run {run.run_id} is no table.")
    return list(parsed["columns"]), [list(row) for row in parsed["data"]]


Table = tuple[list[str], list[list[Any]]]


def _merged(old: Table | None, new: Table) -> Table:
    """The rows of both, under the columns of both; what a row lacks is None."""
    if old is None or not old[0]:
        return new
    columns = [*old[0], *(name for name in new[0] if name not in old[0])]
    return columns, [_arranged(row, table[0], columns) for table in (old, new) for row in table[1]]


def _arranged(row: list[Any], names: list[str], columns: list[str]) -> list[Any]:
    cells = dict(zip(names, row, strict=True))
    return [cells.get(name) for name in columns]


def _extended(table: Table, run: Run, extra: Sequence[str]) -> Table:
    fields: Mapping[str, list[Any]] = tables.of_runs([run])
    cells = [fields.get(name, [getattr(run.info, name, None)])[0] for name in extra]
    return [*table[0], *extra], [[*row, *cells] for row in table[1]]


def _noted(run: Run) -> list[str]:
    try:
        return [item["path"] for item in json.loads(run.data.tags.get(LOGGED_TAG, "[]")) if item["type"] == "table"]
    except (ValueError, TypeError, KeyError):
        return []


def _note(backend: Backend, run_id: str, path: str) -> None:
    """Names the table in the run's tag, by which pages and :func:`load` find it."""
    noted = _noted(backend.get_run(run_id))
    if path not in noted:
        value = json.dumps([{"path": name, "type": "table"} for name in (*noted, path)])
        for verdict in backend.log_batches([Batch(run_id, tags=[Tag(key=LOGGED_TAG, value=value)])]):
            if verdict is not None:
                raise verdict
