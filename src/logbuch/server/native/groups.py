"""Groups of runs: their statistics as a table and as CSV, and their curves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from starlette.responses import Response

from logbuch.server.context import Context
from logbuch.server.native import sheets
from logbuch.server.routes import Permission, Route
from logbuch.store import search
from logbuch.store.grouping import groups
from logbuch.store.grouping import table as group_table
from logbuch.store.grouping.variety import Variety
from logbuch.wire import groups as wire
from logbuch.wire.native import column, view_type

_CSV_ROWS = 1000


async def page(context: Context, request: wire.GroupsRequest) -> Any:
    return await context.call(_page, context, request)


def _page(context: Context, request: wire.GroupsRequest) -> Any:
    query = groups.GroupQuery(
        search.RunQuery(request.experiment_ids, request.filter, (), view_type(request.view), request.run_ids),
        groups.parse_keys(request.by),
        groups.parse_measures(request.metrics),
        groups.parse_texts(request.texts),
    )
    found = context.store.read(group_table.page, query, request.order_by, request.max_results, request.page_token)
    grouped, places = found.groups, found.places.tolist()
    return {
        "values": {name: [values[place] for place in places] for name, values in _named(request.by, grouped.values)},
        "runs": grouped.runs[found.places].tolist(),
        "filters": [grouped.filter(place) for place in places],
        "metrics": {
            text: {
                name: _numbers(group_table.aggregate(summary, name)[found.places]) for name in group_table.AGGREGATES
            }
            for text, summary in _named(request.metrics, grouped.summaries)
        },
        "texts": {name: _variety(found, variety) for name, variety in _named(request.texts, grouped.varieties)},
        "total": len(grouped),
        "total_runs": len(grouped.ids),
        "next_page_token": found.next_page_token,
    }


def _variety(page: group_table.Page, variety: Variety) -> dict[str, Any]:
    places = page.places
    counts = {name: getattr(variety, name)[places].tolist() for name in ("distinct", "missing")}
    return counts | {"values": [variety.values(place) for place in places.tolist()]}


async def as_csv(context: Context, request: wire.GroupsCsvRequest) -> Response:
    query = groups.GroupQuery(
        search.RunQuery(request.experiment_id, request.filter, (), view_type(request.view), request.run_id),
        groups.parse_keys(request.by),
        groups.parse_measures(request.metric),
    )
    found = await context.read(group_table.page, query, request.order_by, None)
    head = [*request.by, "runs", *(f"{name}({text})" for text in request.metric for name in group_table.AGGREGATES)]
    return sheets.answer("groups.csv", _lines(context, found, head))


async def _lines(context: Context, found: group_table.Page, head: Sequence[str]) -> AsyncIterator[bytes]:
    yield sheets.lines([head])
    for start in range(0, len(found.places), _CSV_ROWS):
        yield await context.call(lambda start=start: sheets.lines(list(_rows(found, start))))


def _rows(found: group_table.Page, start: int) -> Iterator[Sequence[Any]]:
    grouped, places = found.groups, found.places[start : start + _CSV_ROWS]
    columns: list[Sequence[Any]] = [[values[place] for place in places.tolist()] for values in grouped.values]
    columns.append(grouped.runs[places].tolist())
    for summary in grouped.summaries:
        columns += [_present(group_table.aggregate(summary, name)[places]) for name in group_table.AGGREGATES]
    yield from zip(*columns, strict=True)


def _named(names: Sequence[str], items: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return zip(names, items, strict=True)


def _present(values: Any) -> list[Any]:
    """An array as a list: NaN says that there is no such number, which is None here."""
    return [None if value != value else value for value in values.tolist()]


def _numbers(values: Any) -> list[Any]:
    return column(_present(values))


ROUTES = (
    Route("POST", "/runs/groups", wire.GroupsRequest, Permission.READ, page, "Groups of runs with their statistics"),
    Route("GET", "/groups.csv", wire.GroupsCsvRequest, Permission.READ, as_csv, "Groups of runs as CSV"),
)
