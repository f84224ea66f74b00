"""Runs as files: CSV for spreadsheets, Parquet for data frames, streamed page by page."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, BinaryIO

from starlette.responses import Response, StreamingResponse

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.files.disk import read_chunks
from logbuch.server.context import Context
from logbuch.server.native import sheets
from logbuch.server.routes import Permission, Route
from logbuch.store import search, table
from logbuch.store.experiments import inner_id
from logbuch.wire import bulk as bulk_wire
from logbuch.wire import native as wire
from logbuch.wire.native import view_type

_HEAD = ("run_id", "name", "experiment_id", "status", "start_time", "end_time", "user")
_TIMES = ("start_time", "end_time")
_PAGE = 1000
_IN_MEMORY = 8 * 1024 * 1024
PARQUET = "application/vnd.apache.parquet"
_EXTREME = re.compile(r"(min|max)\((metrics\..+)\)", re.DOTALL)


async def as_csv(context: Context, request: wire.CsvRequest) -> Response:
    return await _csv(context, _of_get(request), await _columns(context, request.experiment_id, request.column))


async def as_parquet(context: Context, request: wire.CsvRequest) -> Response:
    return await _parquet(context, _of_get(request), await _columns(context, request.experiment_id, request.column))


async def export(context: Context, request: bulk_wire.ExportRequest) -> Response:
    if request.format not in ("csv", "parquet"):
        raise InvalidInput(
            f"Invalid value {limits.clip(request.format)!r} for parameter 'format': it is csv or parquet."
        )
    query = _query(request.experiment_ids, request.filter, request.order_by, request.view, request.run_ids)
    columns = await _columns(context, request.experiment_ids, request.columns)
    return await (_csv if request.format == "csv" else _parquet)(context, query, columns)


def _of_get(request: wire.CsvRequest) -> search.RunQuery:
    return _query(request.experiment_id, request.filter, request.order_by, request.view, request.run_id)


def _query(
    experiment_ids: list[str], filter_: str, order_by: list[str], view: str, run_ids: list[str] | None
) -> search.RunQuery:
    return search.RunQuery(experiment_ids, filter_, order_by, view_type(view), run_ids, by_size=True)


async def _columns(context: Context, experiment_ids: list[str], wanted: list[str]) -> list[str]:
    """The asked-for columns, else all that the runs of these experiments have logged."""
    if wanted:
        return list(dict.fromkeys(wanted))
    known = await context.catalog.of_experiments([id_ for id_ in experiment_ids if inner_id(id_) >= 0])
    found = [f"{kind}.{use.key}" for kind in ("params", "metrics", "tags") for use in getattr(known, kind)]
    return found[: limits.TABLE_COLUMNS]


# -- pages ------------------------------------------------------------------------------------------------------------


def _page(context: Context, query: search.RunQuery, columns: Sequence[str], token: str) -> table.Page:
    sources = [_source(name) for name in columns]
    parts = {part for _, part in sources} - {"value"} or {"last"}
    read = list(dict.fromkeys(column for column, _ in sources))
    return context.store.read(table.page, query, read, _PAGE, token, 0, sorted(parts))


def _pages(context: Context, query: search.RunQuery, columns: Sequence[str], found: table.Page) -> Iterator[table.Page]:
    yield found
    while found.next_page_token is not None:
        found = _page(context, query, columns, found.next_page_token)
        yield found


def _source(name: str) -> tuple[str, str]:
    """The column of the table that a column of the file is read from, and which part: ``min(metrics.loss)`` is one."""
    if extreme := _EXTREME.fullmatch(name):
        return extreme[2], extreme[1]
    return name, "last" if name.startswith("metrics.") else "value"


def _values(found: table.Page, name: str) -> list[Any]:
    column, part = _source(name)
    return found.columns[column][part]


# -- CSV --------------------------------------------------------------------------------------------------------------


async def _csv(context: Context, query: search.RunQuery, columns: list[str]) -> Response:
    # The first page is read before the answer begins, so that a wrong filter is an error and no torn file.
    first = await context.call(_page, context, query, columns, "")
    return sheets.answer("runs.csv", _lines(context, _pages(context, query, columns, first), columns))


async def _lines(context: Context, pages: Iterator[table.Page], columns: Sequence[str]) -> AsyncIterator[bytes]:
    yield sheets.lines([[*_HEAD, *columns]])
    while (found := await context.call(next, pages, None)) is not None:
        yield await context.call(_rows, found, columns)


def _rows(found: table.Page, columns: Sequence[str]) -> bytes:
    heads = ([getattr(run, name) for name in _HEAD] for run in found.runs)
    values = [_values(found, name) for name in columns]
    return sheets.lines([[*head, *(column[at] for column in values)] for at, head in enumerate(heads)])


# -- Parquet ----------------------------------------------------------------------------------------------------------


async def _parquet(context: Context, query: search.RunQuery, columns: list[str]) -> Response:
    """Metrics are doubles (NaN stays NaN, what was never logged is null), times are UTC, everything else is text."""
    file = await context.call(_written, context, query, columns)
    headers = {"content-disposition": 'attachment; filename="runs.parquet"'}
    size = await context.call(lambda: file.seek(0, 2))
    headers["content-length"] = str(size)
    await context.call(file.seek, 0)
    return StreamingResponse(read_chunks(file), headers=headers, media_type=PARQUET)


def _written(context: Context, query: search.RunQuery, columns: list[str]) -> BinaryIO:
    from arro3.core import RecordBatchReader
    from arro3.io import write_parquet

    first = _page(context, query, columns, "")
    schema = _schema(columns)
    batches = (_batch(page, columns, schema) for page in _pages(context, query, columns, first))
    file: Any = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  the answer closes it
    try:
        write_parquet(RecordBatchReader.from_batches(schema, batches), file, compression="zstd(1)")
    except BaseException:
        file.close()
        raise
    made: BinaryIO = file
    return made


def _types(columns: Sequence[str]) -> list[tuple[str, Any]]:
    from arro3.core import DataType

    time = DataType.timestamp("ms", tz="UTC")
    head = [(name, time if name in _TIMES else DataType.utf8()) for name in _HEAD]
    kinds: Callable[[str], Any] = lambda name: DataType.utf8() if _source(name)[1] == "value" else DataType.float64()  # noqa: E731
    return head + [(name, kinds(name)) for name in columns]


def _schema(columns: Sequence[str]) -> Any:
    from arro3.core import Field, Schema

    return Schema([Field(name, type_, nullable=True) for name, type_ in _types(columns)])


def _batch(found: table.Page, columns: Sequence[str], schema: Any) -> Any:
    from arro3.core import RecordBatch

    heads: list[list[Any]] = [[getattr(run, name) for run in found.runs] for name in _HEAD]
    values = heads + [_values(found, name) for name in columns]
    arrays = [_array(column, name, type_) for column, (name, type_) in zip(values, _types(columns), strict=True)]
    return RecordBatch.from_arrays(arrays, schema=schema)


def _array(column: list[Any], name: str, type_: Any) -> Any:
    from arro3.core import Array, DataType

    # Times cannot be made from numbers directly.
    return Array(column, type=DataType.int64()).cast(type_) if name in _TIMES else Array(column, type=type_)


_READ = Permission.READ
ROUTES = (
    Route("GET", "/runs.csv", wire.CsvRequest, _READ, as_csv, "Runs as CSV"),
    Route("GET", "/runs.parquet", wire.CsvRequest, _READ, as_parquet, "Runs as Parquet"),
    Route("POST", "/runs/export", bulk_wire.ExportRequest, _READ, export, "Chosen runs and columns as CSV or Parquet"),
)
