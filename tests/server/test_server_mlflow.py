"""MLflow's protocol at the level of JSON: shapes, lenient reading, codes."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import pytest

from support.servers import Server


def raw(server: Server, path: str, body: str) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.post(f"{server.url}/api/2.0/mlflow/{path}", content=body.encode(), headers=headers)


def test_a_run_in_full(shared_server: Server) -> None:
    created = shared_server.post(
        "runs/create",
        {"experiment_id": "0", "start_time": 12, "run_name": "n", "user_id": "u", "tags": [{"key": "a", "value": "b"}]},
    ).json()["run"]
    assert created["info"] == {
        "run_uuid": created["info"]["run_id"],
        "run_id": created["info"]["run_id"],
        "experiment_id": "0",
        "run_name": "n",
        "user_id": "u",
        "status": "RUNNING",
        "start_time": 12,
        "artifact_uri": f"mlflow-artifacts:/0/{created['info']['run_id']}/artifacts",
        "lifecycle_stage": "active",
    }
    assert created["data"] == {"tags": [{"key": "a", "value": "b"}, {"key": "mlflow.runName", "value": "n"}]}
    for base in ("api", "ajax-api"):
        query = {"run_uuid": created["info"]["run_id"]}
        answer = httpx.get(f"{shared_server.url}/{base}/2.0/mlflow/runs/get", params=query)
        assert answer.json()["run"] == created


def test_reading_is_as_lenient_as_mlflows(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    good = [
        {"key": "m", "value": "1.5", "timestamp": "7", "step": 2.9},
        {"key": "m", "value": "NaN", "timestamp": 8, "step": "3", "unknown": {"field": 1}},
        {"key": "m", "value": "-Infinity", "timestamp": 9, "step": 4},
    ]
    for body in good:
        assert shared_server.post("runs/log-metric", {"run_uuid": run_id, **body}).status_code == 200
    bare = f'{{"run_id": "{run_id}", "key": "m", "value": NaN, "timestamp": 10, "step": 5}}'
    assert raw(shared_server, "runs/log-metric", bare).status_code == 200
    points = shared_server.get("metrics/get-history", run_id=run_id, metric_key="m").json()["metrics"]
    assert [(point["step"], point["value"]) for point in points] == [(2, 1.5), (3, "NaN"), (4, "-Infinity"), (5, "NaN")]
    assert shared_server.post("runs/update", {"run_id": run_id, "status": 3}).json()["run_info"]["status"] == "FINISHED"
    named = shared_server.post("experiments/search", {"max_results": "1", "view_type": "ACTIVE_ONLY"})
    assert len(named.json()["experiments"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "names"),
    [
        ("runs/log-metric", {}, "key"),
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}, "run_id"),
        ("runs/log-metric", {"run_id": "x", "key": "m", "value": "abc", "timestamp": 1}, "value"),
        ("runs/log-metric", {"run_id": "x", "key": "m", "value": None, "timestamp": 1}, "value"),
        ("runs/log-metric", {"run_id": "x", "key": 5, "value": 1, "timestamp": 1}, "key"),
        ("runs/log-metric", {"run_id": "x", "key": "m", "value": True, "timestamp": 1}, "value"),
        ("runs/log-parameter", {"run_id": "x", "key": "p", "value": 5}, "value"),
        ("runs/log-batch", {"run_id": "x", "metrics": [{"key": "m"}]}, "metrics[0].value"),
        ("runs/log-batch", {"run_id": "x", "metrics": "m"}, "metrics"),
        ("runs/log-batch", {"run_id": "x", "metrics": [5]}, "metrics[0]"),
        ("runs/update", {"run_id": "x", "status": "NOPE"}, "status"),
        ("runs/update", {"run_id": "x", "status": 99}, "status"),
        ("runs/search", {"experiment_ids": ["0"], "max_results": 0}, "max_results"),
        ("runs/search", {"experiment_ids": ["0"], "max_results": 10**9}, "max_results"),
        ("runs/search", {"experiment_ids": ["0"], "page_token": "zzz"}, "page_token"),
        ("experiments/create", {"name": ""}, "name"),
        ("experiments/create", {"name": "x", "artifact_location": "file:///etc"}, "artifact_location"),
        ("experiments/create", {"name": "x", "artifact_location": "http:///#/../../etc/"}, "artifact_location"),
        ("experiments/create", {"name": "x", "artifact_location": "s3://bucket/x"}, "artifact_location"),
        ("experiments/search", {}, "max_results"),
        ("experiments/create", {"name": ["a"]}, "name"),
        ("experiments/update", {"experiment_id": "0"}, "new_name"),
        ("experiments/set-experiment-tag", {"experiment_id": "0", "key": "../x"}, "key"),
        ("runs/log-inputs", {"run_id": "x", "datasets": [{"dataset": {"name": "n"}}]}, "datasets[0].dataset.digest"),
    ],
)
def test_bad_input_names_its_field(shared_server: Server, path: str, body: dict[str, Any], names: str) -> None:
    answer = shared_server.post(path, body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert f"'{names}'" in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "5", '"x"', "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass").decode("latin1")],
)
def test_an_unreadable_body_is_an_empty_one(shared_server: Server, body: str) -> None:
    answer = raw(shared_server, "experiments/create", body)
    assert answer.status_code == 400
    assert "'name'" in answer.json()["message"]


def test_codes(shared_server: Server) -> None:
    for answer, status, code in (
        (shared_server.get("runs/get", run_id="none"), 404, "RESOURCE_DOES_NOT_EXIST"),
        (shared_server.get("experiments/get", experiment_id="none"), 404, "RESOURCE_DOES_NOT_EXIST"),
        (shared_server.post("experiments/create", {"name": "Default"}), 400, "RESOURCE_ALREADY_EXISTS"),
        (shared_server.post("experiments/restore", {"experiment_id": "0"}), 404, "RESOURCE_DOES_NOT_EXIST"),
        (shared_server.post("artifacts/presigned-upload-url", {}), 400, "INVALID_PARAMETER_VALUE"),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (status, code)


def test_empty_answers_leave_empty_fields_out(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    assert shared_server.get("metrics/get-history", run_id=run_id, metric_key="none").json() == {}
    assert shared_server.post("runs/search", {}).json() == {}
    assert shared_server.get("artifacts/list", run_id=run_id).json() == {
        "root_uri": f"mlflow-artifacts:/0/{run_id}/artifacts"
    }


def test_bulk_histories(shared_server: Server) -> None:
    runs = [shared_server.new_run() for _ in range(2)]
    for run_id in runs:
        points = [{"key": "m", "value": step, "timestamp": step, "step": step} for step in range(1000)]
        assert shared_server.post("runs/log-batch", {"run_id": run_id, "metrics": points}).status_code == 200
    answer = shared_server.get("metrics/get-history-bulk-interval", run_ids=runs, metric_key="m", max_results=10)
    steps = [point["step"] for point in answer.json()["metrics"] if point["run_id"] == runs[0]]
    assert (len(steps), steps[0], steps[-1]) == (10, 0, 999)
    between = {"start_step": 10, "end_step": 19}
    answer = shared_server.get("metrics/get-history-bulk-interval", run_ids=runs, metric_key="m", **between)
    assert len(answer.json()["metrics"]) == 20
    whole = shared_server.get("metrics/get-history-bulk", run_id=runs, metric_key="m", max_results=1500)
    assert len(whole.json()["metrics"]) == 1500
    for bad in ({"start_step": 1}, {"start_step": 5, "end_step": 1}, {"max_results": 0}):
        query = {"run_ids": runs, "metric_key": "m"} | bad
        assert shared_server.get("metrics/get-history-bulk-interval", **query).status_code == 400
    assert (
        shared_server.get("metrics/get-history-bulk-interval", run_ids=["x"] * 101, metric_key="m").status_code == 400
    )


def test_about(shared_server: Server) -> None:
    assert httpx.get(f"{shared_server.url}/health").text == "OK"
    assert httpx.get(f"{shared_server.url}/version").text.count(".") == 2
    info = httpx.get(f"{shared_server.url}/api/3.0/mlflow/server-info").json()
    assert info["artifact_serving_enabled"] is True


def test_numbers_are_json_numbers(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    big = {"key": "m", "value": 1e308, "timestamp": 2**63 - 1, "step": -(2**63)}
    shared_server.post("runs/log-metric", {"run_id": run_id, **big})
    text = shared_server.get("runs/get", run_id=run_id).text
    assert json.loads(text)["run"]["data"]["metrics"] == [big]
    assert not math.isnan(json.loads(text)["run"]["info"]["start_time"])
