"""Requests for groups of runs, and the form of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logbuch.wire.mlflow import Body
from logbuch.wire.native import binary_tables


class GroupsRequest(Body, kw_only=True):
    """``by``: ``params.KEY``, ``tags.KEY`` or ``attributes.NAME``; ``metrics``: ``KEY``, ``last(KEY)``, ``min(KEY)`` or
    ``max(KEY)``; ``texts``: as ``by``; ``order_by``: one of ``by``, ``runs``, or ``mean(min(KEY))`` and the like, each
    with ASC or DESC."""

    experiment_ids: list[str] = []
    filter: str = ""
    view: str = "active"
    run_ids: list[str] | None = None
    by: list[str] = []
    metrics: list[str] = []
    texts: list[str] = []
    order_by: list[str] = []
    max_results: int = 200
    page_token: str = ""


class GroupsCsvRequest(Body, kw_only=True):
    experiment_id: list[str] = []
    filter: str = ""
    view: str = "active"
    run_id: list[str] | None = None
    by: list[str] = []
    metric: list[str] = []
    order_by: list[str] = []


class NamedGroup(Body, kw_only=True):
    name: str
    run_ids: list[str]


class GroupBucketsRequest(Body, kw_only=True):
    """Either ``groups`` or, as in :class:`GroupsRequest`, a query and what to group it by."""

    keys: list[str]
    groups: list[NamedGroup] | None = None
    experiment_ids: list[str] = []
    filter: str = ""
    view: str = "active"
    run_ids: list[str] | None = None
    by: list[str] = []
    x: str = "step"
    start: float | None = None
    end: float | None = None
    buckets: int = 600


@dataclass(frozen=True, slots=True)
class CurveTable:
    """The curve of one group and key: ``columns`` are the raw float64 columns, joined."""

    group: int
    key: str
    runs: int
    buckets: int
    x_min: float
    x_max: float
    columns: bytes


def curve_tables(
    axis: str, names: Sequence[str], groups: Sequence[Mapping[str, Any]], tables: Sequence[CurveTable]
) -> bytes:
    """The binary answer of curves: that of buckets, with a list of the groups that ``series`` refer to by number."""
    described = [
        {
            "group": table.group,
            "key": table.key,
            "runs": table.runs,
            "buckets": table.buckets,
            "x_min": table.x_min,
            "x_max": table.x_max,
        }
        for table in tables
    ]
    return binary_tables(axis, names, described, [table.columns for table in tables], groups=groups)
