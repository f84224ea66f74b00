"""Charts of groups: for each group and metric the mean of its runs and how far they spread, in binary columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from starlette.responses import Response

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.operations.outlines import check_view
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import search
from logbuch.store.grouping import curves as group_curves
from logbuch.store.grouping import groups
from logbuch.store.grouping import table as group_table
from logbuch.store.grouping.aligned import COLUMNS
from logbuch.store.grouping.curves import Member
from logbuch.store.metrics.buckets import View
from logbuch.store.tx import Tx
from logbuch.wire import groups as wire
from logbuch.wire.native import check_axis, view_type

_Described = Sequence[Mapping[str, Any]]


async def draw(context: Context, request: wire.GroupBucketsRequest) -> Response:
    body = await context.call(_draw, context, request)
    return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})


def _draw(context: Context, request: wire.GroupBucketsRequest) -> bytes:
    axis = check_axis(request.x)
    check_view(request.buckets, request.start, request.end)
    view = View(request.buckets, request.start, request.end)
    described, members = _named(context, request) if request.groups is not None else _queried(context, request)
    _check_size(members, request)
    curves = group_curves.draw(context.store.read, members, request.keys, axis, view)
    tables = [
        wire.CurveTable(
            curve.group, curve.key, curve.runs, curve.table.shape[1], curve.x_min, curve.x_max,
            np.ascontiguousarray(curve.table, "<f8").tobytes(),
        )
        for curve in curves
    ]  # fmt: skip
    return wire.curve_tables(request.x, COLUMNS, described, tables)


def _named(context: Context, request: wire.GroupBucketsRequest) -> tuple[_Described, list[list[Member]]]:
    named = request.groups or []
    if request.by or request.experiment_ids or request.filter or request.run_ids is not None:
        raise InvalidInput("'groups' and a query with 'by' cannot be given together: the one or the other.")
    _check_count(len(named))
    limits.check_ids([run_id for group in named for run_id in group.run_ids], "groups")
    members = context.store.read(group_curves.members, [group.run_ids for group in named])
    described = [{"name": group.name, "runs": len(runs)} for group, runs in zip(named, members, strict=True)]
    return described, members


def _queried(context: Context, request: wire.GroupBucketsRequest) -> tuple[_Described, list[list[Member]]]:
    query = groups.GroupQuery(
        search.RunQuery(request.experiment_ids, request.filter, (), view_type(request.view), request.run_ids),
        groups.parse_keys(request.by),
    )
    page, members = context.store.read(_grouped, query)
    found = page.groups
    described = [
        {
            "values": {name: column[group] for name, column in zip(request.by, found.values, strict=True)},
            "filter": found.filter(group),
            "runs": int(found.runs[group]),
        }
        for group in page.places.tolist()
    ]
    return described, members


def _grouped(tx: Tx, query: groups.GroupQuery) -> tuple[group_table.Page, list[list[Member]]]:
    page = group_table.page(tx, query, (), None)
    _check_count(len(page.groups))
    if len(page.groups.ids) > limits.GROUP_SERIES:
        raise _too_many(len(page.groups.ids), "runs")
    members = group_curves.members_of(tx, page.groups)
    return page, [members[group] for group in page.places.tolist()]


def _check_count(count: int) -> None:
    if count > limits.GROUP_CURVES:
        raise InvalidInput(f"There are {count} groups; at most {limits.GROUP_CURVES} can be drawn at once.")


def _check_size(members: Sequence[Sequence[Member]], request: wire.GroupBucketsRequest) -> None:
    series = len({member.run for group in members for member in group}) * len(set(request.keys))
    if series > limits.GROUP_SERIES:
        raise _too_many(series, "series (runs times keys)")
    if series * request.buckets > limits.GROUP_CELLS:
        raise InvalidInput(
            f"{series} series in {request.buckets} 'buckets' are too many at once: "
            f"at most {limits.GROUP_CELLS} buckets of all series together."
        )


def _too_many(count: int, what: str) -> InvalidInput:
    return InvalidInput(f"{count} {what} are too many at once: at most {limits.GROUP_SERIES} can be drawn as groups.")


ROUTES = (
    Route(
        "POST", "/metrics/group-buckets", wire.GroupBucketsRequest, Permission.READ, draw,
        "Mean and spread of groups of runs for charts",
    ),
)  # fmt: skip
