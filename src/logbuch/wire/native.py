"""Logbuch's own messages: requests of the page and the SDK, and the binary form of bucket tables.

Bucket tables travel as one header of JSON and then raw little-endian columns, so that a browser reads them without
parsing: ``uint32`` length of the header (padded with spaces until the columns are aligned to 8 bytes), the header,
and for each series its columns of float64, one after the other.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import ViewType
from logbuch.wire.mlflow import Body, number

_LENGTH = struct.Struct("<I")


class ListExperiments(Body, kw_only=True):
    view: str = "active"


class ActivityRequest(Body, kw_only=True):
    since: int
    days: int = 14


class TableRequest(Body, kw_only=True):
    experiment_ids: list[str] = []
    filter: str = ""
    order_by: list[str] = []
    view: str = "active"
    max_results: int = 200
    page_token: str = ""
    offset: int = 0
    columns: list[str] = []
    parts: list[str] | None = None
    run_ids: list[str] | None = None


class ColumnsRequest(Body, kw_only=True):
    """With ``quick`` not empty an estimate, ``partial``, comes where counting would take long."""

    experiment_id: list[str] = []
    quick: str = ""


class CsvRequest(Body, kw_only=True):
    """Without a ``column`` all that the experiments' runs have logged."""

    experiment_id: list[str] = []
    column: list[str] = []
    filter: str = ""
    order_by: list[str] = []
    view: str = "active"
    run_id: list[str] | None = None


class BucketsRequest(Body, kw_only=True):
    run_ids: list[str]
    keys: list[str]
    x: str = "step"
    start: float | None = None
    end: float | None = None
    buckets: int = 600
    smoothing: float = 0.0


class KnownJournal(Body, kw_only=True):
    """A journal as its client knows it: up to entry ``acknowledged`` it has seen the server's verdicts."""

    journal: str
    acknowledged: int = 0


class Hello(Body, kw_only=True):
    journals: list[KnownJournal] = []


class Heartbeat(Body, kw_only=True):
    journal: str


class Gone(Body, kw_only=True):
    """The process of a journal is gone since ``time`` (Unix ms)."""

    journal: str
    time: int


class RefusalsRequest(Body, kw_only=True):
    run_id: str


class MediaRequest(Body, kw_only=True):
    run_id: str


class HistogramRequest(Body, kw_only=True):
    run_id: str
    key: str
    limit: int = 200


class LogRequest(Body, kw_only=True):
    """Lines after a line, or else the last ones before a line, or the last of all."""

    run_id: str
    after: int | None = None
    before: int | None = None
    limit: int = 1000


class LogSearchRequest(Body, kw_only=True):
    run_id: str
    text: str
    after: int = 0
    limit: int = 1000
    ignore_case: bool = True


class LogTextRequest(Body, kw_only=True):
    run_id: str
    ansi: bool = False


class LiveRequest(Body, kw_only=True):
    experiment_id: list[str] = []
    run_id: list[str] = []
    cursor: str = ""


TABLE_PAGE = 5000
Axis = Literal["step", "time", "relative"]
_VIEWS = {"active": ViewType.ACTIVE_ONLY, "deleted": ViewType.DELETED_ONLY, "all": ViewType.ALL}
AXES: dict[str, Axis] = {"step": "step", "time": "time", "relative": "relative"}


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """One series of a bucket answer: ``columns`` are the raw float64 columns, joined."""

    run_id: str
    key: str
    buckets: int
    points: int
    x_min: float
    x_max: float
    columns: bytes


def bucket_tables(axis: str, names: Sequence[str], tables: Sequence[SeriesTable]) -> bytes:
    """The binary answer; see the module."""
    described = [
        {
            "run_id": table.run_id,
            "key": table.key,
            "buckets": table.buckets,
            "points": table.points,
            "x_min": table.x_min,
            "x_max": table.x_max,
        }
        for table in tables
    ]
    return binary_tables(axis, names, described, [table.columns for table in tables])


def binary_tables(
    axis: str, names: Sequence[str], described: Sequence[dict[str, Any]], columns: Sequence[bytes], **more: Any
) -> bytes:
    """The binary form of the module: a header that tells of each table, where it lies and ``more``; the tables."""
    offset = 0
    for entry, table in zip(described, columns, strict=True):
        entry["offset"] = offset
        offset += len(table)
    header = msgspec.json.encode({"x": axis, "columns": names, "series": described, **more})
    header += b" " * (-(len(header) + _LENGTH.size) % 8)
    return b"".join((_LENGTH.pack(len(header)), header, *columns))


def column(values: list[Any]) -> list[Any]:
    """A table's column with its non-finite numbers as words."""
    return [number(value) if isinstance(value, float) and not math.isfinite(value) else value for value in values]


def check_axis(name: str) -> Axis:
    """The axis of a name; InvalidInput for an unknown one."""
    if name not in AXES:
        raise InvalidInput(f"Invalid value {limits.clip(name)!r} for parameter 'x': it is step, time or relative.")
    return AXES[name]


def view_type(name: str) -> ViewType:
    """The view of a name; InvalidInput for an unknown one."""
    if name not in _VIEWS:
        raise InvalidInput(f"Invalid value {limits.clip(name)!r} for parameter 'view': it is active, deleted or all.")
    return _VIEWS[name]
