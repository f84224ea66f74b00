"""`logbuch top` of a real server: what a look costs, and a server that is away for a while."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import logbuch
from logbuch.errors import Unavailable
from logbuch.sdk.connection import connect
from logbuch.terminal import looking
from logbuch.terminal.looking import Looker
from support.fresh import fresh
from support.proxy import Mode, Proxy
from support.servers import Server

__all__ = ["fresh"]
RUNS, METRICS = 10, 200


class Meter:
    """Counts requests and their bytes, of bodies both ways."""

    def __init__(self, client: httpx.Client) -> None:
        self.paths: list[str] = []
        self.bytes = 0
        client.event_hooks["response"].append(self._count)

    def _count(self, response: httpx.Response) -> None:
        self.paths.append(response.request.url.path.rpartition("/1/")[2])
        self.bytes += len(response.request.content) + len(response.read())

    def clear(self) -> None:
        self.paths.clear()
        self.bytes = 0


@pytest.fixture
def meter(shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
    """What goes to the server; what is asked for seldom is not asked for again within the test."""
    for name in ("_EXPERIMENTS_SECONDS", "_ALERTS_SECONDS", "_SOON", "_SELDOM"):
        monkeypatch.setattr(looking, name, 3600.0)
    logbuch.set_tracking_uri(shared_server.url)
    backend: Any = connect().backend
    yield Meter(backend._transport._client)


def log(server: Server, run_id: str, step: int, keys: int = METRICS) -> None:
    points = [{"key": f"layer/{at}", "value": 1.0, "timestamp": 1, "step": step} for at in range(keys)]
    points.append({"key": "loss", "value": 10.0 / (step + 1), "timestamp": 1, "step": step})
    assert server.post("runs/log-batch", {"run_id": run_id, "metrics": points}).status_code == 200


def test_a_look_is_few_small_requests(shared_server: Server, meter: Meter) -> None:
    experiment_id = shared_server.post("experiments/create", {"name": "top"}).json()["experiment_id"]
    run_ids = [shared_server.new_run(experiment_id, run_name=f"run {at}") for at in range(RUNS)]
    for run_id in run_ids:
        for step in range(3):
            log(shared_server, run_id, step)
    looker = Looker("top")
    assert [len(row.curve) for row in looker.look().runs] == [3] * RUNS
    meter.clear()
    looker.look()
    assert meter.paths == ["runs/table"]
    assert meter.bytes < 800 * RUNS
    meter.clear()
    for run_id in run_ids:
        log(shared_server, run_id, 3, keys=0)
    found = looker.look()
    assert [(row.value, row.best, row.step, len(row.curve)) for row in found.runs] == [(2.5, 2.5, 3, 4)] * RUNS
    # The last one is for the verdict on one of the runs that are too short for the server to tag.
    assert meter.paths == ["runs/table", "metrics/outline", "runs/stability"]
    assert meter.bytes < 1200 * RUNS


def test_outlines_come_with_the_columns_that_are_asked_for(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    log(shared_server, run_id, 0, keys=0)
    body = {"run_ids": [run_id], "keys": ["loss"], "columns": ["mean", "x"]}
    (curve,) = shared_server.native("metrics/outline", body).json()["series"]
    assert curve["columns"] == {"mean": [10.0], "x": [0.0]}
    refused = shared_server.native("metrics/outline", body | {"columns": ["median"]})
    assert (refused.status_code, "'columns'" in refused.json()["message"]) == (400, True)


def test_a_server_that_is_away_is_asked_again(shared_server: Server) -> None:
    name = "top of a server that goes"
    experiment_id = shared_server.post("experiments/create", {"name": name}).json()["experiment_id"]
    run_id = shared_server.new_run(experiment_id)
    log(shared_server, run_id, 0, keys=0)
    proxy = Proxy(shared_server.port)
    try:
        logbuch.set_tracking_uri(proxy.url)
        looker = Looker(name)
        assert [row.run_id for row in looker.look().runs] == [run_id]
        proxy.mode = Mode.SWALLOW
        with pytest.raises(Unavailable, match="No answer from the tracking server"):
            looker.look()
        proxy.mode = Mode.PASS
        log(shared_server, run_id, 1, keys=0)
        assert [row.value for row in looker.look().runs] == [5.0]
    finally:
        proxy.close()


def test_deleted_runs_are_no_running_ones(shared_server: Server) -> None:
    experiment_id = shared_server.post("experiments/create", {"name": "top without"}).json()["experiment_id"]
    kept, deleted = (shared_server.new_run(experiment_id) for _ in range(2))
    logbuch.set_tracking_uri(shared_server.url)
    looker = Looker("top without")
    assert {row.run_id for row in looker.look().runs} == {kept, deleted}
    shared_server.post("runs/delete", {"run_id": deleted})
    assert [row.run_id for row in looker.look().runs] == [kept]
