"""The stability of a run over HTTP, and the server that judges by itself."""

from __future__ import annotations

import math
from collections.abc import Callable

import httpx

from support.servers import Server
from support.waiting import wait_until

URL = "/api/logbuch/1/runs/stability"


def test_a_run_is_judged_as_it_stands(shared_server: Server) -> None:
    run_id = shared_server.new_run("0")
    losses = [2 * math.exp(-step / 70) for step in range(200)]
    losses[120] = 9.5
    points = [{"key": "train/loss", "value": value, "timestamp": 1, "step": step} for step, value in enumerate(losses)]
    assert shared_server.post("runs/log-batch", {"run_id": run_id, "metrics": points}).is_success
    found = httpx.get(shared_server.url + URL, params={"run_id": run_id}).json()
    assert (found["run_id"], found["word"], found["points"]) == (run_id, "unstable", 200)
    (finding,) = found["findings"]
    assert finding["usual"] < 0.5
    del finding["usual"]
    assert finding == {
        "kind": "spike", "metric": "train/loss", "start": 120.0, "end": 121.0, "value": 9.5, "count": 1
    }  # fmt: skip


def test_the_tag_comes_by_itself(make_server: Callable[..., Server]) -> None:
    server = make_server()  # one that has no other runs to judge, after each of which it rests
    run_id = server.new_run("0")
    point = {"run_id": run_id, "key": "loss", "value": "NaN", "timestamp": 1, "step": 3}
    assert server.post("runs/log-metric", point).is_success

    def tags() -> dict[str, str]:
        run = server.get("runs/get", run_id=run_id).json()["run"]
        return {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}

    assert wait_until(tags, lambda found: "logbuch.stability" in found, server)["logbuch.stability"] == "diverged"


def test_unknown_runs_are_not_found(shared_server: Server) -> None:
    answer = httpx.get(shared_server.url + URL, params={"run_id": "0" * 32})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert httpx.get(shared_server.url + URL).status_code == 400
