"""Rows of tables on their way: a table is a JSON file, so adding to it means reading, merging and writing it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Run, RunInfo, Tag
from logbuch.sdk.backends.backend import Backend, Batch
from logbuch.sdk.backends.calls import arrived, discard
from logbuch.sdk.content import render

LOGGED_TAG = "mlflow.loggedArtifacts"
Table = tuple[list[str], list[list[Any]]]


@dataclass(frozen=True, slots=True)
class Append:
    """Adds the rows in a file that was put aside to a table; done by the sender, since the table must be read first."""

    run: RunInfo
    path: str
    copy: Path

    def perform(self, backend: Backend) -> None:
        run = arrived(backend, self.run)
        try:
            added = json.loads(self.copy.read_bytes())
        except (OSError, ValueError) as error:
            raise InvalidInput(f"The rows of the table {self.path!r} cannot be read: {error}") from None
        columns, rows = merged(read(backend, run, self.path), (added["columns"], added["data"]))
        content = json.dumps({"columns": columns, "data": rows}, ensure_ascii=False).encode()
        whole = self.copy.with_suffix(".whole")
        try:
            whole.write_bytes(content)
            backend.upload(run, self.path, whole)
        finally:
            whole.unlink(missing_ok=True)
        note(backend, run.run_id, self.path)

    def describe(self) -> str:
        return f"rows of the table {self.path!r}"

    def weight(self) -> int:
        return 1000

    def settled(self) -> None:
        discard(self.copy)


def read(backend: Backend, run: RunInfo, path: str) -> tuple[list[str], list[list[Any]]] | None:
    try:
        content = b"".join(backend.download(run, path))
    except NotFound:
        return None
    parsed = render.parse_dictionary(content, path)
    if not isinstance(parsed, dict) or not {"columns", "data"} <= parsed.keys():
        raise InvalidInput(f"The artifact {path!r} of run {run.run_id} is no table.")
    return list(parsed["columns"]), [list(row) for row in parsed["data"]]


def merged(old: Table | None, new: Table) -> Table:
    """The rows of both, under the columns of both; what a row lacks is None."""
    if old is None or not old[0]:
        return new
    columns = [*old[0], *(name for name in new[0] if name not in old[0])]
    return columns, [_arranged(row, table[0], columns) for table in (old, new) for row in table[1]]


def _arranged(row: list[Any], names: list[str], columns: list[str]) -> list[Any]:
    cells = dict(zip(names, row, strict=True))
    return [cells.get(name) for name in columns]


def noted(run: Run) -> list[str]:
    try:
        return [item["path"] for item in json.loads(run.data.tags.get(LOGGED_TAG, "[]")) if item["type"] == "table"]
    except (ValueError, TypeError, KeyError):
        return []


def note(backend: Backend, run_id: str, path: str) -> None:
    """Names the table in the run's tag, by which pages and :func:`load` find it."""
    known = noted(backend.get_run(run_id))
    if path not in known:
        value = json.dumps([{"path": name, "type": "table"} for name in (*known, path)])
        for verdict in backend.log_batches([Batch(run_id, tags=[Tag(key=LOGGED_TAG, value=value)])]):
            if verdict is not None:
                raise verdict
