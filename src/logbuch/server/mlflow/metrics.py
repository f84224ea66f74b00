"""metrics/*"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Metric
from logbuch.server import answers
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store.metrics import history
from logbuch.store.metrics.points import Series
from logbuch.wire import mlflow as wire


async def get_history(context: Context, request: wire.GetHistory) -> Any:
    size = request.max_results
    if size is not None:
        size = min(limits.check_page_size(size, "max_results", limits.INT64_MAX), limits.HISTORY_PER_PAGE)
    found = await context.read(history.packed, request.run, request.metric_key)
    return await context.call(_page, request, found, size)


def _page(request: wire.GetHistory, found: Any, size: int | None) -> Response:
    points, token = history.page(request.metric_key, found, size, request.page_token)
    return answers.json(wire.present({"metrics": [wire.metric(point) for point in points], "next_page_token": token}))


async def bulk_history(context: Context, request: wire.BulkHistory) -> Any:
    limits.check_page_size(request.max_results, "max_results", limits.HISTORY_PER_PAGE)
    _check_runs(request.run_id)
    shown: list[Any] = []
    for run_id in request.run_id:
        found = await context.read(history.packed, run_id, request.metric_key)
        points, _ = await context.call(history.page, request.metric_key, found, request.max_results, "")
        shown += _of_run(run_id, points[: request.max_results - len(shown)])
    return wire.present({"metrics": shown})


async def bulk_interval(context: Context, request: wire.BulkInterval) -> Any:
    _check_runs(request.run_ids)
    limits.check_page_size(request.max_results, "max_results", limits.BULK_INTERVAL_POINTS)
    start, end = request.start_step, request.end_step
    if (start is None) != (end is None):
        raise InvalidInput("If either start step or end step are specified, both must be specified.")
    if start is not None and end is not None and start > end:
        raise InvalidInput(f"end_step must be greater than start_step. Found start_step={start} and end_step={end}.")
    shown: list[Any] = []
    for run_id in request.run_ids:
        found = await context.read(history.packed, run_id, request.metric_key)
        if found is not None:
            shown += _of_run(run_id, await context.call(_sampled, request, found))
    return wire.present({"metrics": shown})


def _sampled(request: wire.BulkInterval, found: Any) -> list[Metric]:
    points = found[1].decode().get(found[0], Series.empty())
    chosen = history.sample(points, request.start_step, request.end_step, request.max_results)
    return history.metrics(request.metric_key, chosen)


def _of_run(run_id: str, points: list[Metric]) -> list[dict[str, Any]]:
    return [
        {
            "key": point.key,
            "value": wire.number(point.value),
            "timestamp": point.timestamp,
            "step": point.step,
            "run_id": run_id,
        }
        for point in points
    ]


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
