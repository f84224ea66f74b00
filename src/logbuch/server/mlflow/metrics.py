"""metrics/*"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.responses import Response, StreamingResponse

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store.metrics import history, series
from logbuch.store.metrics.points import Series
from logbuch.wire import mlflow as wire
from logbuch.wire.points import encode as encode_points

STREAMED_POINTS = 50_000
"""Points of a history that are read and encoded at once."""


async def get_history(context: Context, request: wire.GetHistory) -> Any:
    size = request.max_results
    if size is not None:
        size = min(limits.check_page_size(size, "max_results", limits.INT64_MAX), limits.HISTORY_PER_PAGE)
    asked = (request.run, request.metric_key)
    first, token = await context.read(history.page, *asked, size or STREAMED_POINTS, request.page_token)
    if size is None:
        pieces = _all_pages(context, asked, first, token)
        return StreamingResponse(pieces, media_type="application/json")
    return await context.call(_page, request.metric_key, first, token)


def _page(key: str, points: Series, token: str | None) -> Response:
    following = b"" if token is None else b',"next_page_token":"%b"' % token.encode()
    body = b'{"metrics":[%b]%b}' % (_encoded(key, points), following) if len(points) else b"{}"
    return Response(body, media_type="application/json")


async def _all_pages(
    context: Context, asked: tuple[str, str], points: Series, token: str | None
) -> AsyncIterator[bytes]:
    """One long answer, of which never more than a page is in memory."""
    yield b'{"metrics":[' if len(points) else b"{"
    yield await context.call(_encoded, asked[1], points)
    while token is not None:
        points, token = await context.read(history.page, *asked, STREAMED_POINTS, token)
        yield b"," + await context.call(_encoded, asked[1], points)
    yield b"]}" if len(points) else b"}"


async def bulk_history(context: Context, request: wire.BulkHistory) -> Any:
    limits.check_page_size(request.max_results, "max_results", limits.HISTORY_PER_PAGE)
    _check_runs(request.run_id)
    shown: list[bytes] = []
    left = request.max_results
    for run_id in request.run_id:
        if left:
            points, _ = await context.read(history.page, run_id, request.metric_key, left)
            shown.append(await context.call(_encoded, request.metric_key, points, run_id))
            left -= len(points)
    return _together(shown)


async def bulk_interval(context: Context, request: wire.BulkInterval) -> Any:
    _check_runs(request.run_ids)
    limits.check_page_size(request.max_results, "max_results", limits.BULK_INTERVAL_POINTS)
    start, end = request.start_step, request.end_step
    if (start is None) != (end is None):
        raise InvalidInput("If either start step or end step are specified, both must be specified.")
    if start is not None and end is not None and start > end:
        raise InvalidInput(f"end_step must be greater than start_step. Found start_step={start} and end_step={end}.")
    shown: list[bytes] = []
    for run_id in request.run_ids:
        points = await context.read(series.between, run_id, request.metric_key, start, end)
        chosen = history.sample(points, request.max_results)
        shown.append(await context.call(_encoded, request.metric_key, chosen, run_id))
    return _together(shown)


def _together(parts: Iterable[bytes]) -> Response:
    filled = [part for part in parts if part]
    return Response(b'{"metrics":[%b]}' % b",".join(filled) if filled else b"{}", media_type="application/json")


def _encoded(key: str, points: Series, run_id: str | None = None) -> bytes:
    return encode_points(key, points.values.tolist(), points.timestamps.tolist(), points.steps.tolist(), run_id)


def _check_runs(run_ids: list[str]) -> None:
    if not 1 <= len(run_ids) <= limits.BULK_INTERVAL_RUNS:
        raise InvalidInput(
            f"GetMetricHistoryBulk request must specify 1 to {limits.BULK_INTERVAL_RUNS} run_ids. "
            f"Received {len(run_ids)} run_ids."
        )


_READ = Permission.READ
ROUTES = (
    Route("GET", "/metrics/get-history", wire.GetHistory, _READ, get_history, "All points of a metric"),
    Route("GET", "/metrics/get-history-bulk", wire.BulkHistory, _READ, bulk_history, "A metric of many runs"),
    Route(
        "GET",
        "/metrics/get-history-bulk-interval",
        wire.BulkInterval,
        _READ,
        bulk_interval,
        "A metric of many runs, sampled between two steps",
    ),
)
